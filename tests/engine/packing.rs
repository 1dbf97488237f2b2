//! Total maps over enumerations, and fields of bits in words.

use peerage::{
    request::{
        Approval, BlockableAction, EnumMap, Enumeration, Moderation, PeersMode, Relation, Switch,
    },
    snapshot::{Tie, UserState},
};

use crate::bit_field::BitField;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Color {
    Red,
    Green,
    Blue,
}

impl Enumeration for Color {
    const VARIANTS: &'static [Self] = &[Self::Red, Self::Green, Self::Blue];

    fn index(self) -> usize {
        self as usize
    }
}

type ColorMap<V> = EnumMap<Color, V, 3>;

#[test]
fn a_map_has_its_values_in_the_order_of_the_variants() {
    let map = ColorMap::new(["r", "g", "b"]);
    assert_eq!([map[Color::Red], map[Color::Green], map[Color::Blue]], ["r", "g", "b"]);
    let pairs: Vec<(Color, &str)> = map.iter().map(|(color, value)| (color, *value)).collect();
    assert_eq!(pairs, [(Color::Red, "r"), (Color::Green, "g"), (Color::Blue, "b")]);
    assert!(map.values().eq(&["r", "g", "b"]));
}

#[test]
fn a_map_is_made_by_a_function_that_is_called_in_order() {
    let mut calls = Vec::new();
    let map = ColorMap::from_fn(|color| {
        calls.push(color);
        calls.len()
    });
    assert_eq!(calls, Color::VARIANTS);
    assert_eq!(map, ColorMap::new([1, 2, 3]));
    assert_eq!(ColorMap::splat(7), ColorMap::new([7, 7, 7]));
    assert_eq!(ColorMap::<Vec<u8>>::default(), ColorMap::from_fn(|_| Vec::new()));
}

#[test]
fn a_change_of_one_value_leaves_the_others() {
    let mut map = ColorMap::new([1, 2, 3]);
    map[Color::Green] = 20;
    assert_eq!(map, ColorMap::new([1, 20, 3]));
    for (color, value) in map.iter_mut() {
        if color == Color::Blue {
            *value += 100;
        }
    }
    assert_eq!(map, ColorMap::new([1, 20, 103]));
    assert_ne!(map, ColorMap::new([1, 20, 3]));
    assert_eq!(map.map(|value| value * 2), ColorMap::new([2, 40, 206]));
}

fn assert_numbered<E: Enumeration + PartialEq>() {
    assert!(E::VARIANTS.iter().map(|variant| variant.index()).eq(0..E::VARIANTS.len()));
}

#[test]
fn the_variants_of_enumerations_are_numbered_from_0() {
    assert_numbered::<Switch>();
    assert_numbered::<Relation>();
    assert_numbered::<BlockableAction>();
    assert_numbered::<PeersMode>();
}

const LOW: BitField = BitField::flags(3);
const MIDDLE: BitField = BitField::values(5).above(LOW);
const HIGH: BitField = BitField::flags(10).above(MIDDLE);

#[test]
fn fields_fill_a_word_without_overlap() {
    assert_eq!(LOW.mask(), 0b111);
    assert_eq!(MIDDLE.mask(), 0b11_1000);
    assert_eq!(HIGH.mask(), 0b1111_1111_1100_0000);
}

#[test]
fn a_field_of_values_is_as_wide_as_its_largest_value() {
    for (count, mask) in [(2, 0b1), (3, 0b11), (4, 0b11), (5, 0b111), (8, 0b111), (9, 0b1111)] {
        assert_eq!(BitField::values(count).mask(), mask, "{count} values");
    }
    assert_eq!(BitField::flags(16).mask(), u16::MAX);
}

#[test]
fn a_value_is_read_as_it_was_set_and_leaves_the_other_fields() {
    for word in [0, u16::MAX, 0b1010_1010_1010_1010] {
        for value in 0..8 {
            let set = MIDDLE.set(word, value);
            assert_eq!(MIDDLE.get(set), value);
            assert_eq!(set & !MIDDLE.mask(), word & !MIDDLE.mask());
        }
    }
    // A value that is too large loses its upper bits, and changes no other field.
    assert_eq!(MIDDLE.set(0, 0b1001), 0b1000);
    assert_eq!(HIGH.get(HIGH.set(0, 0b10_0000_0001)), 0b10_0000_0001);
}

#[test]
fn a_flag_is_one_bit_of_its_field() {
    assert_eq!([LOW.flag(0), LOW.flag(2)], [0b1, 0b100]);
    assert_eq!([HIGH.flag(0), HIGH.flag(9)], [1 << 6, 1 << 15]);
}

#[test]
#[should_panic(expected = "the flags don't fit into a word")]
fn more_flags_than_bits_are_refused() {
    let _ = BitField::flags(17);
}

#[test]
#[should_panic(expected = "the fields don't fit into a word")]
fn a_field_past_the_end_of_the_word_is_refused() {
    let _ = BitField::flags(11).above(MIDDLE);
}

#[test]
fn the_parts_of_a_state_are_independent() {
    for state in [UserState::ALL_OFF, UserState::UNRESTRICTED] {
        for &moderation in Moderation::ALL {
            for &peers in PeersMode::ALL {
                for &approval in Approval::ALL {
                    let set = state
                        .with_friend_list_full(true)
                        .with_approval(approval)
                        .with_peers(peers)
                        .with_moderation(moderation);
                    assert_eq!(set.moderation(), moderation);
                    assert_eq!(set.peers(), Some(peers));
                    assert_eq!(set.with_peers_audience().peers(), None);
                    assert_eq!(set.with_peers_audience().with_peers(peers), set);
                    assert_eq!(set.approval(), approval);
                    assert!(set.is_friend_list_full());
                    assert!(!set.with_friend_list_full(false).is_friend_list_full());
                    for &switch in Switch::ALL {
                        assert_eq!(set.is_on(switch), state.is_on(switch));
                        for on in [true, false] {
                            let turned = set.with_switch(switch, on);
                            assert_eq!(turned.is_on(switch), on);
                            let is_alone = |other: &&Switch| {
                                **other == switch || turned.is_on(**other) == set.is_on(**other)
                            };
                            assert!(Switch::ALL.iter().all(|other| is_alone(&other)));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_tie_is_reversed_without_its_declared_part() {
    for &relation in Relation::ALL {
        let tie = Tie::from_declared(relation).union(Tie::CONVERSATION);
        let reversed = tie.reversed();
        for &other in Relation::ALL {
            assert_eq!(tie.outgoing(other), other == relation);
            assert_eq!(tie.is_declared(other), other == relation);
            assert_eq!(reversed.incoming(other), other == relation);
            assert!(!tie.incoming(other) && !reversed.outgoing(other));
            assert!(!reversed.is_declared(other));
        }
        assert!(reversed.is_conversation());
        assert_eq!(reversed.reversed(), Tie::from_relation(relation).union(Tie::CONVERSATION));
        assert_eq!(tie.to_bytes(), reversed.reversed().to_bytes());
    }
}

#[test]
fn a_declared_friendship_ends_with_a_block_and_returns_without() {
    let declared = Tie::from_declared(Relation::Friend);
    let friend = Tie::from_relation(Relation::Friend);
    let suspended = declared.without(friend);
    let block = Tie::from_relation(Relation::Block);
    for tie in [declared, suspended] {
        for blocked in [block, block.reversed()] {
            let tie = tie.union(blocked);
            assert!(!tie.with_friendships(true).outgoing(Relation::Friend));
            assert!(tie.with_friendships(false).outgoing(Relation::Friend));
            assert_eq!(tie.with_friendships(true), suspended.union(blocked));
        }
        assert!(tie.with_friendships(true).outgoing(Relation::Friend));
        assert!(tie.with_friendships(false).outgoing(Relation::Friend));
    }
    // A friendship that no file declares is not touched.
    assert_eq!(friend.union(block).with_friendships(true), friend.union(block));
    assert_eq!(block.with_friendships(false), block);
}
