//! Identifiers that look as the service's do and repeat from run to run: each is drawn from what
//! it names and a sequence number.

/// A text in the form of a version 4 UUID, the same for the same arguments.
pub(crate) fn uuid(of: &str, sequence: u64) -> String {
    let high = scramble(fnv(of) ^ sequence);
    let low = scramble(high ^ sequence.rotate_left(32));
    let version = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff,
    )
}

/// The eight digits Cases gives a case as its reference number.
pub(crate) fn reference_number(sequence: u64) -> String {
    format!("{}", 10_000_000 + sequence % 90_000_000)
}

/// FNV-1a, 64 bits.
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of `SplitMix64`: a bijection, so distinct sequence numbers stay distinct.
fn scramble(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn uuids_have_the_form_repeat_and_differ() {
        let id = uuid("case", 1);
        assert_eq!(id, uuid("case", 1));
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        let ids: HashSet<_> = (0..10_000).map(|n| uuid("case", n)).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
