//! What each part of the tuned client is worth: the bare `CreateCase` with one thing changed at a time.

use std::fmt::Write as _;

use serde::Serialize;

use crate::compare::{authority, seed, take_turns};
use crate::contender::{Kind, Preparation};
use crate::figures::{Figures, Spread};
use crate::report::{Machine, digits, targets};
use crate::services::Transport;
use crate::toolchain::{Toolchain, Variant};

/// One thing that is changed.
struct Part {
    name: &'static str,
    about: &'static str,
    variant: Variant,
    /// The services offer HTTP/2.
    http2: bool,
}

const fn part(name: &'static str, about: &'static str, variant: Variant) -> Part {
    Part {
        name,
        about,
        variant,
        http2: false,
    }
}

const fn feature(name: &'static str, about: &'static str) -> Part {
    let variant = Variant {
        feature: Some(name),
        ..Variant::PLAIN
    };
    part(name, about, variant)
}

const fn build(
    name: &'static str,
    about: &'static str,
    profile: &'static [(&'static str, &'static str)],
    codegen: &'static [&'static str],
) -> Part {
    let variant = Variant {
        profile,
        codegen,
        ..Variant::PLAIN
    };
    part(name, about, variant)
}

const PARTS: [Part; 12] = [
    feature(
        "aws-lc",
        "TLS by aws-lc, the SDK's default, in place of ring",
    ),
    feature(
        "platform-roots",
        "the platform's roots, which are Mozilla's, in place of AWS's own few",
    ),
    feature(
        "credential-chain",
        "the SDK's chain of credentials in place of Lambda's variables",
    ),
    feature("no-retries", "no retries"),
    feature("multi-thread", "tokio's runtime of several threads"),
    feature("mimalloc", "mimalloc in place of glibc's allocator"),
    Part {
        http2: true,
        ..part(
            "http2",
            "HTTP/2, with services that offer it",
            Variant::PLAIN,
        )
    },
    build(
        "static",
        "glibc linked into the binary",
        &[],
        &["-Ctarget-feature=+crt-static"],
    ),
    build(
        "no-pie",
        "at a fixed address, without its randomisation",
        &[],
        &["-Crelocation-model=static"],
    ),
    build(
        "opt-level-s",
        "everything for size",
        &[("OPT_LEVEL", "s")],
        &[],
    ),
    build(
        "thin-lto",
        "thin LTO in place of fat",
        &[("LTO", "thin")],
        &[],
    ),
    build(
        "abort",
        "a panic ends the process",
        &[("PANIC", "abort")],
        &[],
    ),
];

/// What was found: the tuned client first.
#[derive(Clone, Debug, Serialize)]
pub struct Parts {
    /// Where it ran.
    pub machine: Machine,
    /// The compiler.
    pub compiler: String,
    /// Cold starts of each.
    pub runs: usize,
    /// Warm invocations after each.
    pub invocations: usize,
    /// The tuned client, and it with each part changed.
    pub functions: Vec<Figures>,
}

/// Builds and measures.
///
/// # Errors
/// One cannot be built, or fails.
pub async fn measure(
    toolchain: &Toolchain,
    runs: usize,
    invocations: usize,
) -> anyhow::Result<Parts> {
    let (authority, seed) = (authority(toolchain)?, seed(toolchain)?);
    let preparation = Preparation {
        toolchain,
        authority: Some(&authority),
        bootstrap: None,
    };
    let http1 = Transport::tls(&authority.acceptor);
    let http2 = Transport::tls(&authority.http2_acceptor);
    let mut contenders = vec![(preparation.contender(Kind::Tuned)?, http1.clone())];
    for part in &PARTS {
        let contender = preparation.variant(part.name, part.about, &part.variant)?;
        let transport = if part.http2 { &http2 } else { &http1 };
        contenders.push((contender, transport.clone()));
    }
    let functions = take_turns(&contenders, &seed, runs, invocations).await?;
    Ok(Parts {
        machine: Machine::here(),
        compiler: toolchain.compiler()?,
        runs,
        invocations,
        functions,
    })
}

type Column = (&'static str, fn(&Figures) -> Spread);

const COLUMNS: [Column; 4] = [
    ("cold CPU", |figures| figures.cold_cpu_ms),
    ("warm p50", |figures| figures.warm_p50_ms),
    ("CPU per invocation", |figures| {
        figures.cpu_per_invocation_ms
    }),
    ("RSS MB", |figures| figures.peak_rss_mb),
];

impl Parts {
    /// A table in Markdown; beside each figure, how it stands to the tuned client's.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self {
            machine,
            compiler,
            runs,
            invocations,
            functions,
        } = self;
        writeln!(
            text,
            "{runs} cold starts of each, {invocations} warm invocations after each, taking turns; {}, {} threads; {compiler}{}. Milliseconds; medians, and beside them the ratio to the tuned client.\n",
            machine.processor,
            machine.threads,
            targets(functions.first()),
        )?;
        write!(text, "| the tuned client, but |")?;
        for (title, _) in COLUMNS {
            write!(text, " {title} | |")?;
        }
        writeln!(text, " zip MB |")?;
        writeln!(
            text,
            "| --- |{} --: |",
            " --: | --: |".repeat(COLUMNS.len())
        )?;
        for function in functions {
            write!(text, "| **{}**<br>{} |", function.name, function.about)?;
            for (_, figure) in COLUMNS {
                let found = figure(function).median;
                write!(text, " {} |", digits(found))?;
                match functions.first().map(|tuned| figure(tuned).median) {
                    Some(tuned) => write!(text, " {:.2} |", found / tuned)?,
                    None => write!(text, " |")?,
                }
            }
            writeln!(text, " {} |", digits(function.zip_mb))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let parts = Parts {
            machine: Machine {
                processor: "Example CPU".to_owned(),
                threads: 2,
            },
            compiler: "rustc 1.95.0".to_owned(),
            runs: 15,
            invocations: 300,
            functions: vec![
                Figures::made_up("tuned", 2.0),
                Figures::made_up("aws-lc", 2.5),
            ],
        };
        insta::assert_snapshot!(parts.markdown());
    }

    #[test]
    fn every_part_is_a_feature_of_the_peer_or_changes_how_it_is_built_or_reached() {
        let manifest = include_str!("../peers/tuned/Cargo.toml");
        for Part {
            name,
            variant,
            http2,
            ..
        } in &PARTS
        {
            let built_otherwise = !variant.profile.is_empty() || !variant.codegen.is_empty();
            match variant.feature {
                Some(feature) => assert!(
                    manifest.contains(&format!("\n{feature} = [")),
                    "{feature} is no feature of peers/tuned"
                ),
                None => assert!(built_otherwise || *http2, "{name} changes nothing"),
            }
        }
    }
}
