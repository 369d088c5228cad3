//! IP addresses and the blocks of `cidr`, as Java reads them and Event Ruler compares them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Longer text is no IPv4 address for Java, which allows leading zeros.
const MAX_IPV4_LENGTH: usize = 15;

/// An address; its bits stand at the left of the number, so that both families compare alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    family: Family,
    bits: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// A number with a one for each of the first bits.
    fn mask(bits: u32) -> u128 {
        u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0)
    }
}

impl Address {
    /// Reads an IPv4 or IPv6 address. An IPv6 address that maps an IPv4 one is that one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            return Some(Self::v4(ipv4(text)?));
        }
        if !bytes
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        {
            return None;
        }
        let address: Ipv6Addr = text.parse().ok()?;
        Some(address.to_ipv4_mapped().map_or(
            Self {
                family: Family::V6,
                bits: address.to_bits(),
            },
            Self::v4,
        ))
    }

    fn v4(address: Ipv4Addr) -> Self {
        Self {
            family: Family::V4,
            bits: u128::from(address.to_bits()) << 96,
        }
    }
}

fn ipv4(text: &str) -> Option<Ipv4Addr> {
    if text.len() > MAX_IPV4_LENGTH {
        return None;
    }
    let octets: Result<Vec<u8>, _> = text.split('.').map(str::parse).collect();
    let octets: [u8; 4] = octets.ok()?.try_into().ok()?;
    Some(octets.into())
}

/// A block of addresses.
#[derive(Clone, Debug)]
pub(super) struct Network {
    family: Family,
    first: u128,
    last: u128,
}

impl Network {
    /// The block of one address.
    pub(super) fn only(address: Address) -> Self {
        Self {
            family: address.family,
            first: address.bits,
            last: address.bits,
        }
    }

    /// Reads a block such as `10.0.0.0/8` or `2001:db8::/32`.
    ///
    /// # Errors
    /// The sentence to say about one that is not allowed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Slashes at the end do not count, because Java's split drops empty parts there.
        let block = text.trim_end_matches('/').split_once('/');
        let block = block.and_then(|(address, mask)| {
            Some((Address::parse(address)?, mask.parse::<i32>().ok()?))
        });
        let Some((address, mask)) = block else {
            return Err(
                "`cidr` takes an address and the number of its fixed bits, such as 10.0.0.0/8"
                    .to_owned(),
            );
        };
        let size = address.family.bits();
        match u32::try_from(mask) {
            Ok(bits) if bits < size => {
                let variable = Family::mask(size) & !Family::mask(bits);
                let first = address.bits & !variable;
                Ok(Self {
                    family: address.family,
                    first,
                    last: first | variable,
                })
            }
            _ => Err(format!(
                "`cidr` takes 0 to {} fixed bits for such an address, found {mask}",
                size - 1
            )),
        }
    }

    /// Whether the block holds the address.
    ///
    /// Event Ruler compares hexadecimal digits from the left, whatever the family, and stops at the digit that settles it. So an IPv4 block
    /// holds the IPv6 addresses that begin with its digits, and an IPv6 block those IPv4 addresses whose digits lie strictly within.
    pub(super) fn contains(&self, address: Address) -> bool {
        let leading = Family::mask(32);
        match (self.family, address.family) {
            (Family::V6, Family::V4) => {
                (self.first & leading) < address.bits && address.bits < (self.last & leading)
            }
            (Family::V4, Family::V6) => {
                (self.first..=self.last).contains(&(address.bits & leading))
            }
            _ => (self.first..=self.last).contains(&address.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_many_spellings() {
        for (one, other) in [
            ("10.0.0.1", "010.000.0.1"),
            ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
            ("10.0.0.1", "::ffff:a00:1"),
        ] {
            assert!(Address::parse(one).is_some(), "{one}");
            assert_eq!(Address::parse(one), Address::parse(other), "{one} {other}");
        }
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.256",
            "1.2.3.4.5",
            "1..3.4",
            "+1.2.3.4",
            "1.2.3.0000000004",
            ":",
            "12:30",
            "face",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn blocks_hold_their_addresses() {
        for (block, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.127/24", "10.0.0.0", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("10.0.0.4/31/", "10.0.0.5", true),
            ("2001:db8::/32", "2001:db8:ffff::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("2001:db8::/32", "32.1.13.184", false),
            ("::/0", "::", true),
            ("::/0", "10.0.0.1", true),
            ("0.0.0.0/0", "2001:db8::1", true),
            ("10.0.0.0/8", "2001:db8::1", false),
        ] {
            let network = Network::parse(block).expect("valid");
            assert_eq!(
                network.contains(Address::parse(address).expect("valid")),
                expected,
                "{block} {address}"
            );
        }
        for block in [
            "",
            "/",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/32",
            "10.0.0.0/-1",
            "10.0.0.0/x",
            "1/2/3",
            "::/128",
            "x/8",
        ] {
            assert!(Network::parse(block).is_err(), "{block}");
        }
    }
}
