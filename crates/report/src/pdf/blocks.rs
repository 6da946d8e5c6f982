//! What stands on the pages, from top to bottom, read from the Markdown form.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::font;

/// Text of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) bold: bool,
}

/// Text of several looks that is wrapped together.
pub(super) type Text = Vec<Run>;

/// One thing below the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// The title of the document.
    Title(Text),
    /// The title of a part.
    Heading(Text),
    /// Running text.
    Paragraph(Text),
    /// An item of a list.
    Item(Text),
    /// Rows of cells, the heads first.
    Table(Vec<Vec<Text>>),
    /// The drawing of where the money went.
    Picture,
}

/// Reads the blocks; the picture, where there is one, goes before the first part.
pub(super) fn of(markdown: &str, picture: bool) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        reader.take(event);
    }
    let mut blocks = reader.blocks;
    if picture {
        let first = blocks
            .iter()
            .position(|one| matches!(one, Block::Heading(_)));
        blocks.insert(first.unwrap_or(blocks.len()), Block::Picture);
    }
    blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: Text,
    rows: Vec<Vec<Text>>,
    bold: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::SoftBreak | Event::HardBreak => self.say(" "),
            Event::Text(text)
            | Event::Code(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.say(&text),
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn say(&mut self, text: &str) {
        let text = font::drawable(text);
        match self.text.last_mut() {
            // An escaped point comes apart from the digits around it.
            Some(last) if last.bold == self.bold => last.text += &text,
            _ => self.text.push(Run {
                text: text.into_owned(),
                bold: self.bold,
            }),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Strong | Tag::TableHead => self.bold = true,
            Tag::Table(_) => self.rows.clear(),
            _ => {}
        }
        if matches!(tag, Tag::TableHead | Tag::TableRow) {
            self.rows.push(Vec::new());
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::TableHead => self.bold = false,
            TagEnd::TableCell => {
                let text = std::mem::take(&mut self.text);
                self.rows
                    .last_mut()
                    .into_iter()
                    .for_each(|row| row.push(text.clone()));
            }
            TagEnd::Table => self
                .blocks
                .push(Block::Table(std::mem::take(&mut self.rows))),
            TagEnd::Heading(HeadingLevel::H1) => self.block(Block::Title),
            TagEnd::Heading(_) => self.block(Block::Heading),
            TagEnd::Item => self.block(Block::Item),
            TagEnd::Paragraph => self.block(Block::Paragraph),
            _ => {}
        }
    }

    fn block(&mut self, make: impl FnOnce(Text) -> Block) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            self.blocks.push(make(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Text {
        vec![Run {
            text: text.into(),
            bold: false,
        }]
    }

    #[test]
    fn headings_items_and_tables_are_blocks_and_the_picture_goes_before_the_first_part() {
        let text = "# t\n\none\n2\\.5\n\n## part\n\n- a\n- b\n\n| h |\n| --- |\n| `c` |\n";
        let blocks = of(text, true);
        let kinds: Vec<bool> = blocks.iter().map(|one| *one == Block::Picture).collect();
        assert_eq!(kinds.iter().position(|picture| *picture), Some(2));
        assert_eq!(blocks[1], Block::Paragraph(plain("one 2.5")));
        assert_eq!(blocks[4], Block::Item(plain("a")));
        let head = vec![Run {
            text: "h".into(),
            bold: true,
        }];
        assert_eq!(blocks[6], Block::Table(vec![vec![head], vec![plain("c")]]));
    }
}
