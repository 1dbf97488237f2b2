//! Fields of bits in a packed word, laid out one above the other at compile time.

/// A field of bits in a word of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitField {
    shift: u32,
    width: u32,
}

impl BitField {
    /// A field at the low end of a word with a bit for each of `count` flags.
    #[expect(clippy::cast_possible_truncation, reason = "`above` refuses what is too wide")]
    pub(super) const fn flags(count: usize) -> Self {
        assert!(count <= u16::BITS as usize, "the flags don't fit into a word");
        Self { shift: 0, width: count as u32 }
    }

    /// A field at the low end of a word for one of `count` values, numbered from 0.
    pub(super) const fn values(count: usize) -> Self {
        Self { shift: 0, width: usize::BITS - (count - 1).leading_zeros() }
    }

    /// The same field above another one. A constant does not compile if the word ends before it.
    #[must_use]
    pub(super) const fn above(self, lower: Self) -> Self {
        let shift = lower.shift + lower.width;
        assert!(shift + self.width <= u16::BITS, "the fields don't fit into a word");
        Self { shift, ..self }
    }

    /// All bits of the field.
    pub(super) const fn mask(self) -> u16 {
        (u16::MAX >> (u16::BITS - self.width)) << self.shift
    }

    /// The value of the field in a word.
    #[inline]
    pub(super) const fn get(self, word: u16) -> u16 {
        (word & self.mask()) >> self.shift
    }

    /// The word with another value of the field.
    #[inline]
    pub(super) const fn set(self, word: u16, value: u16) -> u16 {
        word & !self.mask() | value << self.shift & self.mask()
    }

    /// The bit of a flag, by its number in the field.
    #[inline]
    pub(super) const fn flag(self, number: usize) -> u16 {
        1 << (self.shift as usize + number)
    }
}
