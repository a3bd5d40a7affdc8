//! Text from bytes that come in pieces.

/// Decodes UTF-8 that is cut anywhere: the events of a stream do not end where characters do. One for each stream.
#[derive(Debug, Clone, Default)]
pub struct Utf8Decoder {
    held: Vec<u8>,
}

impl Utf8Decoder {
    /// The text of what has come, but for a character that is not whole yet. What is no UTF-8 becomes `U+FFFD`.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.held.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    let Some(bad) = error.error_len() else { break };
                    text.push('\u{fffd}');
                    rest = &rest[bad..];
                }
            }
        }
        self.held = rest.to_vec();
        text
    }

    /// What is left when nothing more comes.
    #[must_use]
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.held).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8Decoder;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_the_same_however_it_is_cut(text: String, cuts in prop::collection::vec(0usize..200, 0..8)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let (mut decoder, mut decoded, mut from) = (Utf8Decoder::default(), String::new(), 0);
            for cut in cuts.into_iter().chain([bytes.len()]) {
                decoded.push_str(&decoder.push(&bytes[from..cut]));
                from = cut;
            }
            decoded.push_str(&decoder.finish());
            prop_assert_eq!(decoded, text);
        }

        #[test]
        fn any_bytes_become_what_they_would_at_once(bytes: Vec<u8>, cut in 0usize..50) {
            let cut = cut.min(bytes.len());
            let mut decoder = Utf8Decoder::default();
            let mut decoded = decoder.push(&bytes[..cut]);
            decoded.push_str(&decoder.push(&bytes[cut..]));
            decoded.push_str(&decoder.finish());
            prop_assert_eq!(decoded, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
