//! Memory for frames that is used again: to get megabytes from the system anew for every frame takes as long as to fill them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Where buffers go when they are no longer needed, and come from.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// Bytes that go back when they are dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// One of exactly this many bytes, which hold whatever they held before.
    pub fn take(&self, size: usize) -> Buffer {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle.iter().position(|bytes| bytes.len() == size);
        let bytes = fitting.map(|at| idle.swap_remove(at));
        drop(idle);
        Buffer {
            bytes: bytes.unwrap_or_else(|| vec![0; size]),
            home: self.clone(),
        }
    }
}

impl Buffer {
    /// The bytes, for good.
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if !bytes.is_empty() {
            let mut idle = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(bytes);
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_used_again_where_it_fits() {
        let buffers = Buffers::default();
        let mut first = buffers.take(4);
        first[0] = 7;
        let at = first.as_ptr();
        drop(first);
        assert_eq!(buffers.take(8).len(), 8);
        let again = buffers.take(4);
        assert_eq!((again.as_ptr(), again[0]), (at, 7));
        assert_ne!(buffers.take(4).as_ptr(), at);
        assert_eq!(again.into_vec(), [7, 0, 0, 0]);
    }
}
