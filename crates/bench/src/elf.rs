//! For which target a binary was built, by its own header.

use std::path::Path;

use anyhow::Context as _;

/// The type of the segment that names the dynamic loader.
const INTERPRETER: u64 = 3;

/// `x86_64-unknown-linux-musl` where the binary takes no loader, `x86_64-unknown-linux-gnu` where it does. A glibc that is linked into its
/// binary would be called musl: nothing that is deployed is built so.
///
/// # Errors
/// The file cannot be read, or is no binary of 64 bits for Linux.
pub fn target(binary: &Path) -> anyhow::Result<String> {
    let content =
        std::fs::read(binary).with_context(|| format!("{} cannot be read", binary.display()))?;
    header(&content).with_context(|| {
        format!(
            "{} is no binary of 64 bits for Linux on x86_64 or aarch64",
            binary.display()
        )
    })
}

fn header(binary: &[u8]) -> Option<String> {
    // 64 bits, the least significant byte first.
    binary.strip_prefix(b"\x7fELF\x02\x01")?;
    let number = |at: u64, length: u64| {
        let range = usize::try_from(at).ok()?..usize::try_from(at.checked_add(length)?).ok()?;
        let bytes = binary.get(range)?.iter().rev();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let processor = match number(18, 2)? {
        0x3e => "x86_64",
        0xb7 => "aarch64",
        _ => return None,
    };
    let (segments, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let mut libc = "musl";
    for segment in 0..count {
        if number(segments.checked_add(segment * size)?, 4)? == INTERPRETER {
            libc = "gnu";
        }
    }
    Some(format!("{processor}-unknown-linux-{libc}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn of_this_test() {
        let libc = if cfg!(target_env = "musl") {
            "musl"
        } else {
            "gnu"
        };
        assert_eq!(
            target(&std::env::current_exe().unwrap()).unwrap(),
            format!("{}-unknown-linux-{libc}", std::env::consts::ARCH)
        );
    }

    /// A header with one segment of this type behind it.
    fn binary(processor: u8, segment: u8) -> Vec<u8> {
        let mut binary = vec![0; 64 + 56];
        binary[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (binary[18], binary[32], binary[54], binary[56]) = (processor, 64, 56, 1);
        binary[64] = segment;
        binary
    }

    #[test]
    fn the_processor_and_the_loader_tell() {
        assert_eq!(
            header(&binary(0xb7, 1)).unwrap(),
            "aarch64-unknown-linux-musl"
        );
        assert_eq!(
            header(&binary(0x3e, 3)).unwrap(),
            "x86_64-unknown-linux-gnu"
        );
    }

    #[test]
    fn what_is_no_such_binary_has_no_target() {
        assert_eq!(header(b"#!/bin/sh"), None);
        assert_eq!(header(&binary(0x28, 1)), None);
        assert_eq!(header(&binary(0x3e, 3)[..64]), None);
    }
}
