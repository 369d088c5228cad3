//! The ledger's protocol: turns an item and a clock's reading into the next write, and into what a run may do.
//!
//! The crate is pure: no clock, no random numbers, no table. The function sends its writes to DynamoDB. The exhaustive models apply the same
//! writes to a table of their own, so that what is checked is what runs.
//!
//! | module | content | uses |
//! | --- | --- | --- |
//! | [`time`] | the limits that `docs/exactly-once.md` lists as assumptions | |
//! | [`steps`] | the steps of a key: done, or in doubt | time |
//! | [`item`] | an item of the table, and the state of its key | steps |
//! | [`write`](mod@write) | a write to the table with its condition | item |
//! | [`lease`] | claim, reuse, takeover, and the write at the end of a run | item, writes |
//! | [`holder`] | the decisions of a run that holds a key | lease |
//! | [`relabel`] | the times and names in all of them, for a model's states | all above |

pub mod holder;
pub mod item;
pub mod lease;
pub mod relabel;
pub mod steps;
pub mod time;
pub mod write;
