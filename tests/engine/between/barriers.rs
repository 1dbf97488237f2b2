//! Users who are kept apart.

use super::check;

#[test]
fn both_directions() {
    check(
        "barriers: [{ name: halves, between: [hasTag(left), hasTag(right)], unless: inverse(contact) }]
rules: [{ condition: everyone, outcome: everyone }]
users:
  lea: { tags: [left] }
  luc: { tags: [left], contacts: [rik] }
  rik: { tags: [right], contacts: [lea] }
  bo: { tags: [left, right] }
  bea: { tags: [left, right], contacts: [bo, ben] }
  ben: { tags: [left, right], contacts: [bea] }
groups:
  l: { creator: luc, members: [fay] }",
        &[
            ("no rule opens it", "luc start_chat rik", "barrier"),
            ("it stands in both directions", "rik start_chat luc", "barrier"),
            ("`unless` lifts it, read from the first side", "lea start_chat rik", "allowed"),
            ("from the first side always", "rik start_chat lea", "allowed"),
            ("who meets one side only is free", "luc start_chat lea", "allowed"),
            ("who meets none is free", "luc start_chat ann", "allowed"),
            ("where both meet both, from each", "bo start_chat bea", "barrier"),
            ("one of them is not enough", "bea start_chat bo", "barrier"),
            ("both are", "bea start_chat ben", "allowed"),
            ("it is asked always", "luc send_message rik conversation=existing", "barrier"),
            ("of friend requests", "luc friend_request rik", "barrier"),
            ("of calls", "luc video_call rik conversation=existing", "barrier"),
            ("not of profiles", "luc view_profile rik", "allowed"),
            ("posts reach nobody", "luc post rik", "allowed"),
            ("nor does a block", "luc block rik", "allowed"),
            ("of who adds whom", "luc add_member l member=rik", "barrier"),
            ("and of who is there", "fay add_member l member=rik", "barrier"),
            ("who comes of the same side does not", "fay add_member l member=lea", "allowed"),
            ("lists leave them out", "luc friend_request _", "[ann, bob, cat, dan, eve, fay, lea]"),
            ("in both directions", "_ friend_request rik", "[ann, bob, cat, dan, eve, fay, lea]"),
            (
                "lists of members too",
                "fay add_member l",
                "[ann, bob, cat, dan, eve, fay, lea, luc]",
            ),
        ],
    );
}

#[test]
fn one_direction() {
    check(
        "barriers:
  - { name: adults, from: hasTag(adult), to: hasTag(minor), actions: [start_chat, add_member], unless: sharesTag(family-*) }
users:
  ada: { tags: [adult, family-x] }
  max: { tags: [minor, family-x] }
  mia: { tags: [minor] }
groups:
  h: { creator: mia, members: [fay] }
  k: { creator: ada, members: [max] }
  q: { creator: ada, members: [mia, fay] }
  z: { creator: fay, members: [max] }",
        &[
            ("from the first side to the second", "ada start_chat mia", "barrier"),
            ("not the other way", "mia start_chat ada", "allowed"),
            ("`unless` lifts it", "ada start_chat max", "allowed"),
            ("other actions are not named", "ada friend_request mia", "allowed"),
            ("a message begins a conversation", "ada send_message mia", "barrier"),
            ("an existing one is begun", "ada send_message mia conversation=existing", "allowed"),
            ("who comes meets who is there", "fay add_member h member=ada", "barrier"),
            ("who is there meets who comes", "max add_member k member=mia", "barrier"),
            ("the subject meets the member", "ada add_member k member=mia", "barrier"),
            ("`unless` is read for each of them", "fay add_member z member=ada", "allowed"),
            ("who comes of the same side is free", "mia add_member h member=max", "allowed"),
            ("among others, acting on oneself does not help", "ada add_member q member=ada", "barrier"),
            ("nor does being there already", "fay add_member q member=mia", "barrier"),
        ],
    );
}

#[test]
fn groups_left_out() {
    check(
        "barriers: [{ name: apart, between: [hasTag(x), hasTag(y)], groups: false }]
users: { xia: { tags: [x] }, yan: { tags: [y] } }
groups: { xy: { creator: fay, members: [xia] } }",
        &[
            ("`groups: false` leaves members out", "fay add_member xy member=yan", "allowed"),
            ("not who adds and who is added", "xia add_member xy member=yan", "barrier"),
            ("nor what is between two", "xia start_chat yan", "barrier"),
        ],
    );
    check(
        "barriers: [{ name: apart, between: [hasTag(x), hasTag(y)], actions: [start_chat] }]
users: { xia: { tags: [x] }, yan: { tags: [y] } }
groups: { xy: { creator: fay, members: [xia] } }",
        &[
            ("one that concerns no adding", "fay add_member xy member=yan", "allowed"),
            ("leaves groups alone", "xia add_member xy member=yan", "allowed"),
        ],
    );
    check(
        "barriers: [{ name: alone, between: [hasTag(x), hasTag(x)] }]
users: { xia: { tags: [x] }, xu: { tags: [x] } }
groups: { x: { creator: xia, members: [fay] } }",
        &[
            ("both sides may be the same", "xia start_chat xu", "barrier"),
            ("nobody is kept from themselves", "xia add_member x member=xia", "allowed"),
            ("properties of a request are read", "fay start_chat xu tags=x", "barrier"),
            ("in place of the facts", "xia start_chat xu tags=parent", "allowed"),
        ],
    );
}
