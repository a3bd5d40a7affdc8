//! Reading variables, collecting problems instead of stopping at the first.

use super::{VARIABLES, Variable, yaml};
use std::{collections::HashMap, fmt, path::PathBuf, str::FromStr};

/// A problem with the configuration. Names the variable, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The variable.
    pub name: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(name: &str, problem: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.problem)
    }
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[set]")
    }
}

/// Reads variables by name and keeps what is wrong.
pub(super) struct Reader {
    values: HashMap<String, String>,
    problems: Vec<ConfigError>,
}

impl Reader {
    pub fn new(environment: &[(String, String)]) -> Self {
        let mut reader = Self {
            values: HashMap::new(),
            problems: Vec::new(),
        };
        for (name, value) in environment {
            reader.take(name, value);
        }
        reader
    }

    /// What a file says, where the environment says nothing.
    pub fn beneath(&mut self, environment: &[(String, String)], text: &str) {
        let outside: HashMap<_, _> = environment
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        match yaml::values(text, &|name| outside.get(name).map(|v| (*v).to_owned())) {
            Ok(values) => {
                for (name, value) in values {
                    self.values.entry(name).or_insert(value);
                }
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn take(&mut self, name: &str, value: &str) {
        let ours = name.starts_with("KODA_") || name.starts_with("SANDBOX_") || name == "PORT";
        // Names of others, such as E2B's, are shared with their own programs: those that we do not know are not ours.
        let shared = known(name.strip_suffix("_FILE").unwrap_or(name)).is_some();
        if !ours && !shared {
            return;
        }
        if let Some(secret) = name
            .strip_suffix("_FILE")
            .filter(|n| known(n).is_some_and(|v| v.secret))
        {
            self.take_file(secret, name, value);
        } else if known(name).is_some() {
            // An empty variable is one that is not set: compose files pass those on.
            if !value.is_empty() {
                self.values.insert(name.to_owned(), value.to_owned());
            }
        } else {
            let hint = nearest(name)
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            self.problem(name, &format!("is not a known variable{hint}"));
        }
    }

    fn take_file(&mut self, secret: &str, name: &str, path: &str) {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let value = text
                    .trim_start_matches('\u{feff}')
                    .trim_end_matches(['\n', '\r'])
                    .to_owned();
                if value.is_empty() {
                    self.problem(name, "names an empty file");
                } else if self.values.insert(secret.to_owned(), value).is_some() {
                    self.problem(secret, &format!("and {name} are both set; keep one"));
                }
            }
            Err(error) => self.problem(name, &format!("cannot be read: {}", error.kind())),
        }
    }

    pub fn problem(&mut self, name: &str, problem: &str) {
        self.problems.push(ConfigError::new(name, problem));
    }

    pub fn optional(&mut self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    pub fn text(&mut self, name: &str) -> String {
        let default = known(name).map_or("", |v| v.default);
        self.values
            .get(name)
            .map_or_else(|| default.to_owned(), Clone::clone)
    }

    /// An address that begins with its scheme, without a slash at its end.
    pub fn address(&mut self, name: &str) -> Option<String> {
        let address = self.optional(name)?;
        if !address.starts_with("https://") && !address.starts_with("http://") {
            self.problem(name, "must begin with https:// or http://");
        }
        Some(address.trim_end_matches('/').to_owned())
    }

    /// Two secrets of which neither is of use without the other.
    pub fn pair(&mut self, one: &str, other: &str) -> Option<(Secret, Secret)> {
        match (self.secret(one), self.secret(other)) {
            (Some(a), Some(b)) => Some((a, b)),
            (None, None) => None,
            (found, _) => {
                let (missing, set) = if found.is_some() {
                    (other, one)
                } else {
                    (one, other)
                };
                self.problem(missing, &format!("is needed where {set} is set"));
                None
            }
        }
    }

    pub fn path(&mut self, name: &str) -> PathBuf {
        PathBuf::from(self.text(name))
    }

    pub fn parsed<T: FromStr + Default>(&mut self, name: &str, what: &str) -> T {
        self.text(name).trim().parse().unwrap_or_else(|_| {
            self.problem(name, &format!("must be {what}"));
            T::default()
        })
    }

    /// How many sandboxes wait: a number, or what this machine has room for.
    pub fn warm(&mut self, name: &str) -> usize {
        match self.text(name).trim() {
            "auto" => usize::from(is_large()),
            _ => self.parsed(name, "auto or a number"),
        }
    }

    /// Dollars, as millionths of one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 10^12"
    )]
    pub fn money(&mut self, name: &str) -> u64 {
        let dollars: Option<f64> = self.text(name).trim().parse().ok();
        match dollars.filter(|it| (0.0..=1e6).contains(it)) {
            Some(dollars) => (dollars * 1e6).round() as u64,
            None => {
                self.problem(name, "must be US dollars, such as 2.50");
                0
            }
        }
    }

    pub fn flag(&mut self, name: &str) -> bool {
        match self.text(name).to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.problem(name, "must be true or false");
                false
            }
        }
    }

    pub fn one_of(&mut self, name: &str, choices: &[&str]) -> String {
        let value = self.text(name);
        if !choices.contains(&value.as_str()) {
            self.problem(name, &format!("must be one of: {}", choices.join(", ")));
        }
        value
    }

    /// Bytes, written as `512m`, `2g` or a plain number.
    pub fn bytes(&mut self, name: &str) -> u64 {
        let text = self.text(name).trim().to_ascii_lowercase();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text[digits.len()..].trim_end_matches(['b', 'i']) {
            "" => Some(1),
            "k" => Some(1 << 10),
            "m" => Some(1 << 20),
            "g" => Some(1 << 30),
            _ => None,
        };
        let bytes = digits
            .parse::<u64>()
            .ok()
            .zip(unit)
            .and_then(|(n, unit): (u64, u64)| n.checked_mul(unit));
        bytes.filter(|n| *n > 0).unwrap_or_else(|| {
            self.problem(name, "must be a size, such as 512m or 2g");
            1 << 30
        })
    }

    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        self.values.get(name).cloned().map(Secret)
    }

    pub fn finish<T>(self, config: T) -> Result<T, Vec<ConfigError>> {
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(self.problems)
        }
    }
}

fn known(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|v| v.name == name)
}

/// The known name that is closest, if it is close.
fn nearest(name: &str) -> Option<&'static str> {
    let distances = VARIABLES
        .iter()
        .map(|v| (strsim::damerau_levenshtein(name, v.name), v.name));
    distances
        .min()
        .filter(|(distance, _)| *distance <= 4)
        .map(|(_, name)| name)
}

/// Whether this machine has room for what may never be needed.
fn is_large() -> bool {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let number = |path: &str| -> Option<u64> {
        let text = std::fs::read_to_string(path).ok()?;
        text.trim().parse().ok()
    };
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    // "MemTotal:       24689912 kB" (proc_meminfo(5)).
    let machine = memory.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("MemTotal:")?.split_whitespace().next()?;
        Some(kilobytes.parse::<u64>().ok()? << 10)
    });
    // A container's own limit (cgroups(7), both versions); "max" is none.
    let container = number("/sys/fs/cgroup/memory.max")
        .or_else(|| number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let memory = machine.map(|machine| container.map_or(machine, |most| most.min(machine)));
    // What is called 16 GB has a little less for programs.
    processors >= 8 && memory.is_some_and(|bytes| bytes >= 15 << 30)
}
