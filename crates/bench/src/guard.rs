//! The guard: the instructions of a cold start and of a warm invocation, held against a baseline.
//!
//! `valgrind --tool=callgrind` counts the instructions of a process in user space, on any machine and under any load. The services speak
//! plain HTTP, because the cost of a TLS handshake varies with its random numbers.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use runtime_api::Answer;
use serde::{Deserialize, Serialize};

use crate::contender::{Contender, Kind, Preparation};
use crate::services::{Seed, Services, Transport};
use crate::toolchain::{self, Toolchain};
use crate::{note, print, sample};

/// The growth of a count that is accepted.
const TOLERANCE: f64 = 0.03;

/// Warm invocations, whose mean is counted.
const WARM: u32 = 20;

/// The time for a start and for an event: an emulated processor is slow, and a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// The functions that are counted.
const COUNTED: [Kind; 2] = [Kind::Casebridge, Kind::CasebridgeEverything];

/// Count the instructions of a cold start and of a warm invocation, and hold them against a baseline
///
/// The function runs under valgrind, with services that speak plain HTTP. The baseline is crates/bench/instructions.json, for each
/// compiler and target of the binary; a count may grow by 3 %. A compiler or target without a baseline passes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo side-by-side guard                    build the function as it is deployed, and count
  cargo side-by-side guard --bootstrap PATH   count a function that is built already
  cargo side-by-side guard --accept           make the counts the new baseline

Exit status: 0; 1 when a count has grown too much; 2 when nothing could be counted.")]
pub(crate) struct Guard {
    /// Count this binary instead of building one
    #[arg(long, value_name = "PATH")]
    bootstrap: Option<PathBuf>,

    /// Make the counts the baseline of this compiler and target
    #[arg(long)]
    accept: bool,
}

/// The instructions of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Instructions {
    /// From the spawn to the first answer.
    cold: u64,
    /// For one more event.
    warm: u64,
}

/// Counts by function.
type Counts = BTreeMap<String, Instructions>;

/// Counts by compiler and target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Baseline(BTreeMap<String, Counts>);

/// The result of a comparison with the baseline: a line for each count.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    text: String,
    /// A count has grown by more than is accepted.
    grown: bool,
}

impl Guard {
    /// Counts and compares; returns false when a count has grown too much.
    pub(crate) async fn run(&self, toolchain: &Toolchain) -> anyhow::Result<bool> {
        ensure!(
            toolchain::is_installed("valgrind"),
            "nothing is counted: valgrind is not installed (Debian: `apt-get install valgrind`)"
        );
        let (compiler, counts) = self.count(toolchain).await?;
        let file = toolchain.source("crates/bench/instructions.json");
        let mut baseline = Baseline::read(&file)?;
        let verdict = baseline.judge(&compiler, &counts);
        print(&verdict.text)?;
        if self.accept {
            baseline.accept(&compiler, &counts, &file)?;
            note("accepted: commit crates/bench/instructions.json");
            return Ok(true);
        }
        if verdict.grown {
            note(
                "the function takes more instructions than before, by more than 3 %; where that is worth it, `cargo side-by-side guard --accept` makes the counts the new baseline",
            );
        }
        Ok(!verdict.grown)
    }

    /// Returns the compiler with the target, and the counts.
    async fn count(&self, toolchain: &Toolchain) -> anyhow::Result<(String, Counts)> {
        let preparation = Preparation {
            toolchain,
            authority: None,
            bootstrap: self.bootstrap.as_deref(),
        };
        let seed = Seed::read(toolchain)?;
        let output = toolchain.folder("callgrind")?.join("callgrind.out");
        let (mut target, mut counts) = (None, Counts::new());
        for kind in COUNTED {
            let contender = preparation.contender(kind)?;
            let cold = instructions(&contender, &seed, &output, 0).await?;
            let more = instructions(&contender, &seed, &output, WARM).await?;
            let warm = more.saturating_sub(cold) / u64::from(WARM);
            counts.insert(contender.name, Instructions { cold, warm });
            target = contender.target;
        }
        let (compiler, target) = (toolchain.compiler()?, target.unwrap_or_default());
        Ok((format!("{compiler}, {target}"), counts))
    }
}

impl Baseline {
    /// Reads the file; without one the baseline is empty.
    fn read(file: &Path) -> anyhow::Result<Self> {
        if !file.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no baseline", file.display()))
    }

    /// Makes these counts the compiler's, and writes the file.
    fn accept(&mut self, compiler: &str, counts: &Counts, file: &Path) -> anyhow::Result<()> {
        self.0.insert(compiler.to_owned(), counts.clone());
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Holds counts against those of their compiler.
    fn judge(&self, compiler: &str, counts: &Counts) -> Verdict {
        let known = self.0.get(compiler);
        let (mut text, mut grown) = (format!("{compiler}\n"), false);
        for (function, found) in counts {
            let accepted = known.and_then(|known| known.get(function));
            for (what, found, accepted) in [
                ("cold start", found.cold, accepted.map(|it| it.cold)),
                ("warm invocation", found.warm, accepted.map(|it| it.warm)),
            ] {
                let comparison = accepted.map_or("no baseline".to_owned(), |accepted| {
                    let growth = growth(found, accepted);
                    grown |= growth > TOLERANCE;
                    let mark = if growth > TOLERANCE { "  too many" } else { "" };
                    format!("{:+.1} % of {}{mark}", growth * 100.0, grouped(accepted))
                });
                let found = grouped(found);
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "  {function:<22} {what:<16} {found:>12} instructions, {comparison}"
                );
            }
        }
        Verdict { text, grown }
    }
}

/// Returns the instructions of a process that answers one event and then `warm` more.
async fn instructions(
    contender: &Contender,
    seed: &Seed,
    output: &Path,
    warm: u32,
) -> anyhow::Result<u64> {
    // The file of an earlier process must not count for this one.
    let _ = std::fs::remove_file(output);
    let services = Services::start(seed, Transport::default()).await?;
    let mut file = OsString::from("--callgrind-out-file=");
    file.push(output);
    let configuration = contender
        .configuration
        .clone()
        .launcher(["valgrind".into(), "--tool=callgrind".into(), file])
        .init_timeout(PATIENCE)
        .timeout(PATIENCE);
    let function = services.lead(configuration).start().await;
    let function = function.context("it does not start")?;
    for number in 0..=warm {
        function.idle().await;
        let payload = contender.payload(usize::try_from(number)?);
        if let Answer::Error(report) = function.invoke(payload).await? {
            bail!("{} fails at an event: {report}", contender.name);
        }
    }
    // The work between the answer and waiting for the next event belongs to the answer.
    function.idle().await;
    let pid = nix::unistd::Pid::from_raw(sample::pid(&function)?);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
    function.exited().await;
    total(output)
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
        let verdict = baseline().judge("rustc 1", &counts(1_029_999, 900));
        assert!(!verdict.grown, "{}", verdict.text);
    }

    #[test]
    fn a_count_that_has_grown_is_marked() {
        let verdict = baseline().judge("rustc 1", &counts(1_000_000, 1_031));
        assert!(verdict.grown);
        insta::assert_snapshot!(verdict.text, @r"
        rustc 1
          casebridge             cold start          1,000,000 instructions, +0.0 % of 1,000,000
          casebridge             warm invocation         1,031 instructions, +3.1 % of 1,000  too many
        ");
    }

    #[test]
    fn another_compiler_has_no_baseline() {
        let verdict = baseline().judge("rustc 2", &counts(9_000_000, 9_000));
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
