//! The invariants: of every invocation when it ends, of every message of a batch, and of every key and the whole world in the end.
//!
//! A breach is never allowed. A repetition that the function does not promise away without a ledger is counted instead: a flow that runs
//! again does not look before it links, and runs that overlap, or follow before the first one's effects show, cannot know of each other.
//! With a ledger that is promised too; keys that share a new customer do not know of each other even then.

mod answers;
mod found;
mod worlds;

pub(crate) use self::answers::{check_done, check_invocation, check_kept};
pub(crate) use self::worlds::check;
