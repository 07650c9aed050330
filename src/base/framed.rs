//! Bytes of several parts in one file, with a sum by which damage is seen.

/// The parts of a file: a magic number, a sum of the rest, all parts but the last with their lengths in front, and the last. They lie
/// where they are: together they may be as large as the rest of the project in memory.
pub struct Framed<'p> {
    magic: &'p [u8; 8],
    sum: [u8; 4],
    /// Each behind its length, but for the last.
    parts: Vec<([u8; 8], &'p [u8])>,
    last: Vec<&'p [u8]>,
}

impl<'p> Framed<'p> {
    /// `last` is one part that lies in pieces.
    pub fn new(magic: &'p [u8; 8], parts: &[&'p [u8]], last: Vec<&'p [u8]>) -> Framed<'p> {
        let parts: Vec<([u8; 8], &[u8])> = parts.iter().map(|part| ((part.len() as u64).to_le_bytes(), *part)).collect();
        let mut framed = Framed { magic, sum: [0; 4], parts, last };
        let mut sum = crc32fast::Hasher::new();
        framed.pieces().iter().skip(2).for_each(|piece| sum.update(piece));
        framed.sum = sum.finalize().to_le_bytes();
        framed
    }

    /// A sum of all parts, by which one file is told from another.
    pub fn sum(&self) -> [u8; 4] {
        self.sum
    }

    /// What stands in the file, one behind the other.
    pub fn pieces(&self) -> Vec<&[u8]> {
        let mut pieces: Vec<&[u8]> = vec![self.magic, &self.sum];
        pieces.extend(self.parts.iter().flat_map(|(length, part)| [&length[..], part]));
        pieces.extend(&self.last);
        pieces
    }
}

/// [`Framed::sum`] of what stands in a file.
pub fn sum_of(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.get(8..)?.first_chunk().copied()
}

/// The `N` parts of a file, the last being all that is left; `None` for another magic number and for damage.
pub fn unframed<'b, const N: usize>(magic: &[u8; 8], bytes: &'b [u8]) -> Option<[&'b [u8]; N]> {
    let (sum, mut rest) = bytes.strip_prefix(magic)?.split_first_chunk::<4>()?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut parts = [&[][..]; N];
    let (last, framed) = parts.split_last_mut()?;
    for part in framed {
        let (length, behind) = rest.split_first_chunk::<8>()?;
        (*part, rest) = behind.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    }
    *last = rest;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_framed_comes_back_and_damage_is_seen() {
        let framed = Framed::new(b"magic..1", &[b"one", b""], vec![b"t", b"wo"]);
        let bytes = framed.pieces().concat();
        assert_eq!(unframed::<3>(b"magic..1", &bytes), Some([&b"one"[..], b"", b"two"]));
        assert_eq!(sum_of(&bytes), Some(framed.sum()));
        assert_eq!(unframed::<3>(b"magic..2", &bytes), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(unframed::<3>(b"magic..1", &damaged), None, "{at}");
            assert_eq!(unframed::<3>(b"magic..1", &bytes[..at]), None, "{at}");
        }
    }
}
