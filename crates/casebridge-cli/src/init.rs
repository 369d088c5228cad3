//! `init`: writes a first mapping for a Cases template. `check` finds nothing in it.

mod references;
mod skeleton;
#[cfg(test)]
mod tests;
mod yaml;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use mapping::Trigger;
use mapping::diagnostic::suggest;
use mapping::domain::{Domain, Template};

use self::skeleton::Skeleton;
use crate::sources::{read_text, shipped};
use crate::terminal::{self, FAINT, GOOD, paint};
use crate::test;

/// Write a first mapping, for one Cases template
///
/// Required fields come first, ready to use. Every other field follows as a comment, with its type, limits and options. The
/// references are proposals: replace them with those of your own contacts or events.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge init 'Order problem'
  cargo casebridge init 'Order problem' --trigger eventbridge
  cargo casebridge init 'Contact follow-up' --output follow-up.yaml --test

Then: cargo casebridge check --mapping follow-up.yaml
      cargo casebridge test --mapping follow-up.yaml

Exit status: 0; 2 nothing could be written.")]
pub(crate) struct Arguments {
    /// The template, by name or id
    template: String,

    /// The domain snapshot [default: domain.json]
    #[arg(long, value_name = "FILE")]
    domain: Option<PathBuf>,

    /// The trigger of the cases
    #[arg(long, value_enum, default_value_t = TriggerArgument::ContactFlow)]
    trigger: TriggerArgument,

    /// Write to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Also write a first test, next to the mapping
    #[arg(long, requires = "output")]
    test: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TriggerArgument {
    /// An Amazon Connect flow that invokes the function
    ContactFlow,
    /// An EventBridge rule
    #[value(name = "eventbridge")]
    EventBridge,
}

impl From<TriggerArgument> for Trigger {
    fn from(trigger: TriggerArgument) -> Self {
        match trigger {
            TriggerArgument::ContactFlow => Self::ContactFlow,
            TriggerArgument::EventBridge => Self::EventBridge,
        }
    }
}

/// # Errors
///
/// No such template, a snapshot that cannot be read, or an output file that is there already.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let path = match &arguments.domain {
        Some(path) => path.clone(),
        None => shipped("domain.json", "name it with --domain")?,
    };
    let text = read_text(&path)?;
    let domain =
        Domain::from_json(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let template = template(&domain, &arguments.template)?;
    let skeleton = Skeleton::new(&domain, template, arguments.trigger.into());
    let Some(output) = &arguments.output else {
        let schema = schema_line(Path::new(""), "mapping.schema.json");
        terminal::print(&format!("{schema}{}", skeleton.mapping()))?;
        return Ok(true);
    };
    let folder = output.parent().unwrap_or(Path::new(""));
    let tests = arguments.test.then(|| test::path_for(output));
    if let Some(tests) = tests.as_deref().filter(|tests| tests.exists()) {
        bail!(there_already(tests));
    }
    let schema = schema_line(folder, "mapping.schema.json");
    write(output, &format!("{schema}{}", skeleton.mapping()))?;
    if let Some(tests) = &tests {
        let schema = schema_line(folder, "mapping.test.schema.json");
        write(tests, &format!("{schema}{}", skeleton.first_test()))?;
    }
    let mut next = vec!["check"];
    next.extend(tests.as_ref().map(|_| "test"));
    for command in next {
        let line = format!("cargo casebridge {command} --mapping {}", output.display());
        terminal::print_note(&format!("  {}\n", paint(FAINT, line)));
    }
    Ok(true)
}

/// The line that names the schema for editors, if the schema is in the folder.
fn schema_line(folder: &Path, schema: &str) -> String {
    if folder.join(schema).exists() {
        format!("# yaml-language-server: $schema=./{schema}\n")
    } else {
        String::new()
    }
}

fn template<'a>(domain: &'a Domain, name: &str) -> anyhow::Result<&'a Template> {
    match domain.template(name) {
        Some(template) if template.active => Ok(template),
        Some(template) => bail!(
            "the template `{}` is inactive: no case can be created from it; activate it in Amazon Connect, or take another one",
            template.name
        ),
        None => {
            let active = domain.templates.iter().filter(|template| template.active);
            match suggest(name, active.map(|template| template.name.as_str())) {
                Some(help) => bail!("the domain has no template `{name}`: {help}"),
                None => bail!("the domain has no template `{name}`"),
            }
        }
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = match std::fs::File::create_new(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!(there_already(path))
        }
        file => file,
    }
    .and_then(|mut file| file.write_all(text.as_bytes()).map(|()| file))
    .with_context(|| format!("{} could not be written", path.display()))?;
    file.flush()?;
    terminal::print_note(&format!("{} {}\n", paint(GOOD, "wrote"), path.display()));
    Ok(())
}

fn there_already(path: &Path) -> String {
    format!(
        "{} exists already, and nothing was written: name another file with --output, or move it away",
        path.display()
    )
}
