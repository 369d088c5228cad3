//! The assumptions of `docs/exactly-once.md` that a model can take away, each as what holds instead.

use clap::ValueEnum as _;
use clap::builder::PossibleValue;

/// An assumption that does not hold. Its documentation states the opposite of the assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Assumption {
    /// 1: Cases forgets a client token after twenty seconds
    TokenForgotten,
    /// 1: CreateCase gets a random client token with every request
    RandomToken,
    /// 2: SearchCases finds a case only after a day
    SearchLags,
    /// 3: SearchCases now and then does not show a case that it has shown before
    SearchForgets,
    /// 5: a comment shows only after ten minutes
    ItemsLag,
    /// 6: a request may have its effect minutes after its sender is gone
    LateRequests,
    /// 7: the clocks of two environments differ by up to a minute
    ClocksApart,
    /// 8: a request that was answered with 4xx may have had its effect
    RefusalsWithEffect,
    /// 9: the ledger's table writes without looking at the condition
    NoCondition,
    /// 10: two occurrences of a key have one source and id
    SharedIds,
    /// 14: somebody removes the tag of a case
    TagRemoved,
}

impl Assumption {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The state of affairs without the assumption.
    pub(crate) fn sentence(self) -> String {
        let value = self.to_possible_value();
        let help = value.as_ref().and_then(PossibleValue::get_help);
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// The model that shows the weight of the assumption.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::TokenForgotten
            | Self::RandomToken
            | Self::SearchLags
            | Self::RefusalsWithEffect => "case",
            Self::SearchForgets | Self::NoCondition | Self::TagRemoved => "window",
            Self::ItemsLag | Self::LateRequests | Self::ClocksApart => "items-return",
            Self::SharedIds => "items-attach",
        }
    }
}
