use super::Report;

/// The report for a terminal: each mistake with its line and a caret, and a closing count.
/// `colour` adds ANSI styles.
pub fn render(report: &Report, colour: bool) -> String {
    let _ = (report, colour);
    String::new()
}
