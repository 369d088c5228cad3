//! The guard: how many instructions a cold start and a warm invocation take, held against what was counted before.
//!
//! `valgrind --tool=callgrind` counts what the process executes in user space, on any machine and under any load. The services speak plain
//! HTTP, so that no TLS handshake, whose cost varies with its random numbers, is counted.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use runtime_api::Answer;
use serde::{Deserialize, Serialize};

use crate::contender::{Contender, Kind, Preparation};
use crate::process::Process;
use crate::services::{Seed, Services, Transport};
use crate::toolchain::Toolchain;

/// By how much a count may grow.
const TOLERANCE: f64 = 0.03;

/// Warm invocations that one is the mean of.
const WARM: u32 = 20;

/// An emulated processor is slow, and a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is counted.
const COUNTED: [Kind; 2] = [Kind::Casebridge, Kind::CasebridgeEverything];

/// What a function executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    /// From the spawn to the first answer.
    pub cold: u64,
    /// For one more event.
    pub warm: u64,
}

/// Counts by compiler and target, and by function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(BTreeMap<String, BTreeMap<String, Instructions>>);

impl Baseline {
    /// What is accepted so far; nothing where there is no file.
    ///
    /// # Errors
    /// The file is no baseline.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        if !file.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no baseline", file.display()))
    }

    /// Takes these counts as the compiler's, and writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn accept(&mut self, compiler: &str, counts: &Counts, file: &Path) -> anyhow::Result<()> {
        self.0.insert(compiler.to_owned(), counts.clone());
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}

/// Counts by function.
pub type Counts = BTreeMap<String, Instructions>;

/// What a comparison with the baseline says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// A line for each count.
    pub text: String,
    /// Whether a count has grown by more than is tolerated.
    pub grown: bool,
}

/// Holds counts against the baseline of their compiler.
#[must_use]
pub fn judge(baseline: &Baseline, compiler: &str, counts: &Counts) -> Verdict {
    let known = baseline.0.get(compiler);
    let (mut text, mut grown) = (format!("{compiler}\n"), false);
    for (function, found) in counts {
        let accepted = known.and_then(|known| known.get(function));
        for (what, found, accepted) in [
            ("cold start", found.cold, accepted.map(|it| it.cold)),
            ("warm invocation", found.warm, accepted.map(|it| it.warm)),
        ] {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "  {function:<22} {what:<16} {:>12} instructions",
                grouped(found)
            );
            let _ = match accepted {
                Some(accepted) => {
                    let growth = growth(found, accepted);
                    grown |= growth > TOLERANCE;
                    let mark = if growth > TOLERANCE { "  too many" } else { "" };
                    writeln!(
                        text,
                        ", {:+.1} % of {}{mark}",
                        growth * 100.0,
                        grouped(accepted)
                    )
                }
                None => writeln!(text, ", no baseline"),
            };
        }
    }
    Verdict { text, grown }
}

/// Counts cold start and warm invocation of the function as it is deployed; says for which compiler and target.
///
/// # Errors
/// It cannot be built, fails under valgrind, or valgrind says no count.
pub async fn count(
    toolchain: &Toolchain,
    bootstrap: Option<&Path>,
    seed: &Seed,
) -> anyhow::Result<(String, Counts)> {
    let preparation = Preparation {
        toolchain,
        authority: None,
        bootstrap,
    };
    let output = toolchain.folder("callgrind")?.join("callgrind.out");
    let (mut target, mut counts) = (None, Counts::new());
    for kind in COUNTED {
        let contender = preparation.contender(kind)?;
        let cold = contender.instructions(seed, &output, 0).await?;
        let more = contender.instructions(seed, &output, WARM).await?;
        let warm = more.saturating_sub(cold) / u64::from(WARM);
        counts.insert(contender.name, Instructions { cold, warm });
        target = contender.target;
    }
    let (compiler, target) = (toolchain.compiler()?, target.unwrap_or_default());
    Ok((format!("{compiler}, {target}"), counts))
}

impl Contender {
    /// The instructions of a process that answers one event and then this many more.
    async fn instructions(&self, seed: &Seed, output: &Path, warm: u32) -> anyhow::Result<u64> {
        // What an earlier process left would be taken for this one's.
        let _ = std::fs::remove_file(output);
        let services = Services::start(seed, Transport::PLAIN).await?;
        let mut file = OsString::from("--callgrind-out-file=");
        file.push(output);
        let configuration = self
            .configuration
            .clone()
            .launcher(["valgrind".into(), "--tool=callgrind".into(), file])
            .init_timeout(PATIENCE)
            .timeout(PATIENCE);
        let function = services.lead(configuration).start().await;
        let function = function.context("it does not start")?;
        for number in 0..=warm {
            function.idle().await;
            let payload = self.workload.payload(usize::try_from(number)?);
            if let Answer::Error(report) = function.invoke(payload).await? {
                bail!("{} fails at an event: {report}", self.name);
            }
        }
        // What it does between the answer and waiting for the next event belongs to the answer.
        function.idle().await;
        Process::new(function.pid())?.terminate()?;
        function.exited().await;
        total(output)
    }
}

/// The count in callgrind's output.
fn total(file: &Path) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("valgrind has not written {}", file.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    let total: u64 = total.with_context(|| format!("{} holds no `totals:`", file.display()))?;
    ensure!(
        total > 0,
        "{} says that nothing was executed",
        file.display()
    );
    Ok(total)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn growth(found: u64, accepted: u64) -> f64 {
    found as f64 / accepted as f64 - 1.0
}

/// `12,345,678`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(cold: u64, warm: u64) -> Counts {
        Counts::from([("casebridge".to_owned(), Instructions { cold, warm })])
    }

    fn baseline() -> Baseline {
        Baseline(BTreeMap::from([(
            "rustc 1".to_owned(),
            counts(1_000_000, 1_000),
        )]))
    }

    #[test]
    fn up_to_three_percent_more_is_let_through() {
        let verdict = judge(&baseline(), "rustc 1", &counts(1_029_999, 900));
        assert!(!verdict.grown, "{}", verdict.text);
    }

    #[test]
    fn a_count_that_has_grown_is_marked() {
        let verdict = judge(&baseline(), "rustc 1", &counts(1_000_000, 1_031));
        assert!(verdict.grown);
        insta::assert_snapshot!(verdict.text, @r"
        rustc 1
          casebridge             cold start          1,000,000 instructions, +0.0 % of 1,000,000
          casebridge             warm invocation         1,031 instructions, +3.1 % of 1,000  too many
        ");
    }

    #[test]
    fn another_compiler_has_no_baseline() {
        let verdict = judge(&baseline(), "rustc 2", &counts(9_000_000, 9_000));
        assert!(!verdict.grown);
        insta::assert_snapshot!(verdict.text, @r"
        rustc 2
          casebridge             cold start          9,000,000 instructions, no baseline
          casebridge             warm invocation         9,000 instructions, no baseline
        ");
    }

    #[test]
    fn what_is_accepted_is_read_again_beside_what_was_there() {
        let file = std::env::temp_dir().join(format!("baseline-{}.json", std::process::id()));
        let mut accepted = baseline();
        accepted.accept("rustc 2", &counts(5, 6), &file).unwrap();
        assert_eq!(Baseline::read(&file).unwrap(), accepted);
        assert_eq!(accepted.0.len(), 2);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(Baseline::read(&file).unwrap(), Baseline::default());
    }
}
