//! Sections to JSON.

use super::{
    WIDTH,
    section_tree::SectionTree,
    text::{is_bare, quoted},
    tree::{TreeField, TreeValue},
};

/// Writes the sections as a file. It has no comments: a file with comments takes another form.
pub(super) fn write(sections: SectionTree) -> String {
    let mut text = String::new();
    write_value(&mut text, 0, 0, &TreeValue::Map(sections.fields), 2);
    text.push('\n');
    text
}

/// Writes a value that `before` characters stand before on its line. Of the levels of what is in it,
/// `spread` stand on lines of their own whatever would fit on one.
fn write_value(into: &mut String, indent: usize, before: usize, value: &TreeValue, spread: usize) {
    let flat = flat(value);
    let is_empty = matches!(flat.as_str(), "[]" | "{}");
    // A comma may follow.
    if is_empty || spread == 0 && before + flat.chars().count() < WIDTH {
        return into.push_str(&flat);
    }
    match value {
        TreeValue::Text(_) | TreeValue::Setting(_) => into.push_str(&flat),
        TreeValue::List(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                line(into, indent + 2, at);
                write_value(into, indent + 2, indent + 2, &item.value, spread.saturating_sub(1));
            }
            line(into, indent, 0);
            into.push(']');
        }
        TreeValue::Map(fields) => {
            into.push('{');
            for (at, (key, node)) in fields.iter().enumerate() {
                line(into, indent + 2, at);
                let key = quoted(key);
                into.extend([&key, ": "]);
                let before = indent + 2 + key.chars().count() + 2;
                let spread = spread_within(&key, spread, &node.value);
                write_value(into, indent + 2, before, &node.value, spread);
            }
            line(into, indent, 0);
            into.push('}');
        }
    }
}

/// As in YAML: entries stand on lines of their own, and the fields of rules and matrices.
fn spread_within(key: &str, spread: usize, value: &TreeValue) -> usize {
    let has_parts = matches!(value, TreeValue::List(_) | TreeValue::Map(_));
    match key {
        _ if !has_parts || spread < 2 => spread.saturating_sub(1),
        "\"rules\"" | "\"matrices\"" | "\"barriers\"" | "\"rule_sets\"" => 2,
        "\"users\"" | "\"groups\"" | "\"conversations\"" | "\"audiences\"" | "\"accepts\""
        | "\"actions\"" => 1,
        _ => 0,
    }
}

fn line(into: &mut String, indent: usize, at: usize) {
    into.push_str(if at > 0 { ",\n" } else { "\n" });
    into.extend(std::iter::repeat_n(' ', indent));
}

fn flat(value: &TreeValue) -> String {
    match value {
        TreeValue::Setting(text) if is_bare(text) => text.clone(),
        TreeValue::Text(text) | TreeValue::Setting(text) => quoted(text),
        TreeValue::List(items) => {
            let items: Vec<_> = items.iter().map(|item| flat(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        TreeValue::Map(fields) if fields.is_empty() => "{}".to_owned(),
        TreeValue::Map(fields) => {
            let field = |(key, node): &TreeField| format!("{}: {}", quoted(key), flat(&node.value));
            let fields: Vec<_> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}
