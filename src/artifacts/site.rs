//! The page that shows the documentation: one HTML file that reads `manifest.json` and `catalog.json` beside it, or holds both.

/// The page. Nothing on it comes from elsewhere.
pub const SITE: &str = include_str!("site/index.html");

/// The page with both artefacts inside, to be opened or sent as one file.
pub fn static_site(manifest: &str, catalog: &str) -> String {
    [("manifest", manifest), ("catalog", catalog)].iter().fold(SITE.to_owned(), |page, (id, data)| {
        let tag = format!("<script type=\"application/json\" id=\"{id}\">");
        // Within JSON such a sign stands in texts only; a description must not end the script that holds it.
        page.replacen(&tag, &format!("{tag}{}", data.replace('<', "\\u003c")), 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_script() {
        let page = static_site("{\"a\": \"</script><b>\"}", "{\"b\": 1}");
        assert!(page.contains("id=\"manifest\">{\"a\": \"\\u003c/script>\\u003cb>\"}</script>"));
        assert!(page.contains("id=\"catalog\">{\"b\": 1}</script>"));
    }
}
