//! What this machine, or the part of it that we were given, can do at once.

use std::path::Path;

/// Browsers that still gain something from each other's company.
const MOST_BROWSERS: usize = 4;
/// What a browser may come to use, in bytes, and what it takes for every pixel of a frame besides.
const A_BROWSER: u64 = 280 << 20;
const A_PIXEL: u64 = 40;
/// What the encoder and this program take, and for every pixel of a frame besides.
const ENCODER: u64 = 220 << 20;
const ENCODED_PIXEL: u64 = 140;
/// What the preview's server and the render's own take, and the browser on standby for the next command.
const SERVERS: u64 = 620 << 20;
/// Frames for which a browser more is worth its start.
const WORTHWHILE: usize = 40;

/// How many browsers to draw frames with: by the processors that we may use (the quota of the control group counts, not what
/// can be seen), by the memory that is left, and by how much there is to do. Not more than `most`.
pub fn browsers(frames: usize, pixels: u64, most: usize) -> usize {
    let processors = processors();
    let each = A_BROWSER + A_PIXEL * pixels;
    let fit = free_memory().map_or(MOST_BROWSERS, |free| {
        let free = free.saturating_sub(ENCODER + ENCODED_PIXEL * pixels);
        usize::try_from(free / each).unwrap_or(MOST_BROWSERS)
    });
    processors
        .min(fit)
        .min(frames / WORTHWHILE)
        .min(most)
        .clamp(1, MOST_BROWSERS)
}

/// Whole processors that we may use.
pub fn processors() -> usize {
    let visible = std::thread::available_parallelism().map_or(1, usize::from);
    told::<f64>("KODA_CPUS").map_or(visible, |cpus| {
        (1..=visible)
            .rev()
            .find(|&count| count as f64 <= cpus)
            .unwrap_or(1)
    })
}

/// A limit that whoever made the sandbox tells, because it cannot be seen from inside.
fn told<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Bytes that can still be had: of the machine, of the control group where it has a limit, and of what was told.
fn free_memory() -> Option<u64> {
    let told = told::<u64>("KODA_MEMORY").map(|all| all.saturating_sub(SERVERS));
    [machine_memory(), group_memory(), told]
        .into_iter()
        .flatten()
        .min()
}

/// <https://docs.kernel.org/filesystems/proc.html#meminfo>
fn machine_memory() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok()?;
    let available = machine
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()?
        << 10;
    Some(available)
}

/// <https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files>
fn group_memory() -> Option<u64> {
    let number = |name: &str| {
        let path = Path::new("/sys/fs/cgroup").join(name);
        std::fs::read_to_string(path)
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let used = number("memory.current")?;
    // What files have cached is given back when it is wanted.
    let cached = std::fs::read_to_string("/sys/fs/cgroup/memory.stat")
        .ok()
        .and_then(|stat| {
            stat.lines()
                .find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok())
        })
        .unwrap_or(0);
    Some(number("memory.max")?.saturating_sub(used.saturating_sub(cached)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_browser_draws_what_two_gain_nothing_by_or_have_no_room_for() {
        for (frames, pixels, most) in [
            (0, 1, MOST_BROWSERS),
            (2 * WORTHWHILE - 1, 1, MOST_BROWSERS),
            (usize::MAX, 1, 1),
            // Frames of which no memory holds two.
            (usize::MAX, 1 << 40, MOST_BROWSERS),
        ] {
            assert_eq!(browsers(frames, pixels, most), 1, "{frames} of {pixels}");
        }
    }

    #[test]
    fn there_are_no_more_browsers_than_processors() {
        let many = browsers(usize::MAX, 1, usize::MAX);
        assert!((1..=MOST_BROWSERS.min(processors())).contains(&many));
    }
}
