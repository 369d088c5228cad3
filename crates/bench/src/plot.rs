//! The plot: cold CPU and warm CPU of each function as bars on a logarithmic scale, in one SVG with colours for light and dark.

use std::fmt::Write as _;

use crate::figures::{Figure, Figures, Spread};
use crate::report::{Report, digits};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 170.0;
/// The margin on the right, for the number behind the longest bar.
const NUMBERS: f64 = 90.0;
const ROW: f64 = 24.0;
const PANEL_HEAD: f64 = 56.0;
const PANEL_FOOT: f64 = 34.0;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.tick { font-size: 11px; fill: #59636e }
.bar { fill: #8c959f }
.ours { fill: #0969da }
.spread { stroke: #1f2328; stroke-width: 1 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .tick { fill: #9198a1 }
  .bar { fill: #656c76 }
  .ours { fill: #4493f8 }
  .spread { stroke: #f0f6fc }
  .grid { stroke: #3d444d }
}";

struct Panel {
    title: &'static str,
    figure: Figure,
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "CPU time of a cold start, from the spawn to the first answer (ms, logarithmic)",
        figure: Figure::ColdCpuMs,
    },
    Panel {
        title: "CPU time of a warm invocation (ms, logarithmic)",
        figure: Figure::CpuPerInvocationMs,
    },
];

pub(crate) fn render(report: &Report) -> String {
    let rows = count(report.functions.len());
    let panel_height = PANEL_HEAD + rows * ROW + PANEL_FOOT;
    let height = panel_height * count(PANELS.len());
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"CPU time of a cold start and of a warm invocation, function by function\">\n<style>\n{STYLE}\n</style>"
    );
    let mut top = 0.0;
    for panel in PANELS {
        let _ = panel.render(&report.functions, top, &mut svg);
        top += panel_height;
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn render(&self, functions: &[Figures], top: f64, svg: &mut String) -> std::fmt::Result {
        let scale = Scale::over(functions.iter().map(|it| it.spread(self.figure)));
        let bottom = top + PANEL_HEAD + count(functions.len()) * ROW;
        writeln!(
            svg,
            "<text class=\"title\" x=\"12\" y=\"{:.0}\">{}</text>",
            top + 28.0,
            self.title
        )?;
        for tick in scale.ticks() {
            let x = scale.x(tick);
            writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{bottom:.0}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{tick}</text>",
                top + PANEL_HEAD - 8.0,
                bottom + 16.0
            )?;
        }
        let mut y = top + PANEL_HEAD;
        for function in functions {
            row(function, function.spread(self.figure), &scale, y, svg)?;
            y += ROW;
        }
        Ok(())
    }
}

fn row(
    function: &Figures,
    spread: Spread,
    scale: &Scale,
    y: f64,
    svg: &mut String,
) -> std::fmt::Result {
    let class = if function.name.starts_with("casebridge") {
        "ours"
    } else {
        "bar"
    };
    let (end, middle) = (scale.x(spread.median), y + ROW / 2.0 - 2.0);
    writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.0}\" rx=\"2\"/>",
        LABELS - 10.0,
        middle + 4.5,
        escaped(&function.name),
        end - LABELS,
        ROW - 4.0,
    )?;
    writeln!(
        svg,
        "<line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        scale.x(spread.q1),
        scale.x(spread.q3),
        scale.x(spread.q3).max(end) + 8.0,
        middle + 4.5,
        digits(spread.median),
    )
}

/// Powers of ten from below the smallest value to above the largest.
struct Scale {
    first: f64,
    last: f64,
}

impl Scale {
    fn over(spreads: impl Iterator<Item = Spread>) -> Self {
        let (mut least, mut most) = (f64::MAX, f64::MIN_POSITIVE);
        for spread in spreads.filter(|spread| spread.q1 > 0.0) {
            least = least.min(spread.q1);
            most = most.max(spread.q3);
        }
        let first = least.min(most).log10().floor();
        Self {
            first,
            last: most.log10().ceil().max(first + 1.0),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let part = (value.log10() - self.first) / (self.last - self.first);
        LABELS + part.clamp(0.0, 1.0) * (WIDTH - LABELS - NUMBERS)
    }

    #[expect(clippy::cast_possible_truncation, reason = "powers of ten, few")]
    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.first as i32..=self.last as i32).map(|power| 10_f64.powi(power))
    }
}

/// A name from the command line, escaped for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_plot() {
        let report = crate::report::Report::made_up();
        insta::assert_snapshot!(super::render(&report));
    }
}
