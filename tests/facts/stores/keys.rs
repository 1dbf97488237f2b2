//! Keys of records as stores hold them.

use peerage::facts::RecordKey;

#[test]
fn a_key_is_read_from_its_text() {
    let conversation = RecordKey::conversation("bob", "ann");
    let keys =
        [RecordKey::User("ann".to_owned()), RecordKey::Group("crew".to_owned()), conversation];
    for key in keys {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}

/// Ids hold no control characters: with a third id, it is not clear which two are meant.
#[test]
fn a_conversation_of_three_ids_is_no_key() {
    for text in ["c/ann", "c/ann\0\0bob", "c/ann\0bob\0cid"] {
        let error = text.parse::<RecordKey>().unwrap_err();
        assert!(error.to_string().ends_with("is not the key of a record"), "{error}");
    }
}
