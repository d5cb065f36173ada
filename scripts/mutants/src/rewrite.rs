//! Mutants, compiled in: one source text that behaves as any of them, by the number that is set when a test starts.
//!
//! A mutant weakens one place of one function. Its text is inserted around what is there, on the same line, so that
//! the lines that Chipwright records of rules stay what they are:
//!
//! ```text
//! if self.tree == 0 { return false; }     if !crate::mutant::is(7) && (self.tree == 0) { return false; }
//! ```
//!
//! | what | becomes |
//! |---|---|
//! | a condition of `if` or of a match arm | `false`; `true` as well, unless it is an `if` without `else` |
//! | an operand of `&&` | `true` |
//! | an operand of `\|\|` | `false` |
//! | `<`, `<=`, `>`, `>=` | with or without equality |
//! | `==`, `!=`, where none of the above fixes the comparison | the opposite |
//! | a statement that calls or assigns | nothing |
//! | a function to `bool` | `true`, `false` |
//! | a function to `Result<(), _>`, `Option`, `Vec` | `Ok(())`, `None`, `Vec::new()` |
//!
//! `const fn`, macros, tests and implementations of `fmt` stay as they are.

use std::collections::{HashMap, HashSet};
use std::mem::discriminant;
use std::ops::Range;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, BinOp, Block, Expr, ExprBinary, GenericArgument, ImplItemFn, ItemFn, ItemImpl,
    ItemMod, ItemTrait, PathArguments, ReturnType, Signature, Stmt, TraitItemFn, Type,
};

/// The module that is put into every crate with mutants.
const SWITCH: &str = include_str!("switch.rs");

/// A weakened place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The file, from the root of the workspace.
    pub module: String,
    /// The function, within its implementation.
    pub function: String,
    /// What is changed, and into what; numbered, if the same is changed in several places of the function.
    pub mutation: String,
}

/// A mutant, and where it is.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name, whatever lines it moves to.
    pub key: Key,
    /// The lines, from 1.
    pub lines: Range<usize>,
    edits: Vec<(usize, Edit)>,
}

/// What is inserted.
#[derive(Clone, Debug)]
enum Edit {
    /// The beginning of what surrounds something: text, whether the mutant is on, text.
    Open(String, String),
    /// Its end.
    Close(&'static str),
}

/// All mutants of a file.
///
/// # Errors
///
/// Fails if the text is not Rust.
pub fn mutants(module: &str, source: &str) -> syn::Result<Vec<Mutant>> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        module,
        source,
        path: Vec::new(),
        fixed: HashSet::new(),
        counts: HashMap::new(),
        mutants: Vec::new(),
    };
    finder.visit_file(&file);
    Ok(finder.mutants)
}

/// The file with mutants compiled in, each under its number.
pub fn rewrite<'a>(source: &str, mutants: impl Iterator<Item = (usize, &'a Mutant)>) -> String {
    let edits = mutants.flat_map(|(number, mutant)| mutant.edits.iter().map(move |e| (number, e)));
    let mut edits: Vec<_> = edits.enumerate().collect();
    // Outer mutants are found before inner ones: they begin first, and end last. What ends at a place ends before
    // something else begins.
    edits.sort_by_key(|&(order, (_, &(at, ref edit)))| match edit {
        Edit::Close(_) => (at, false, usize::MAX - order),
        Edit::Open(..) => (at, true, order),
    });
    let mut text = String::with_capacity(2 * source.len());
    let mut copied = 0;
    for (_, (number, (at, edit))) in edits {
        text.push_str(&source[copied..*at]);
        copied = *at;
        match edit {
            Edit::Open(before, after) => {
                text.push_str(&format!("{before}crate::mutant::is({number}){after}"));
            }
            Edit::Close(end) => text.push_str(end),
        }
    }
    text + &source[copied..]
}

/// The root module of a crate, with the switch.
pub fn with_switch(root: &str) -> String {
    format!("{root}\n{SWITCH}")
}

struct Finder<'a> {
    module: &'a str,
    source: &'a str,
    /// The implementations and functions around.
    path: Vec<String>,
    /// Where comparisons are that another mutant makes constant.
    fixed: HashSet<(usize, usize)>,
    counts: HashMap<(String, String), usize>,
    mutants: Vec<Mutant>,
}

impl Finder<'_> {
    fn add(&mut self, span: Span, mutation: String, edits: Vec<(usize, Edit)>) {
        let function = self.path.join("::");
        let count = self.counts.entry((function.clone(), mutation.clone())).or_default();
        *count += 1;
        let mutation = if *count > 1 { format!("{mutation} #{count}") } else { mutation };
        let key = Key { module: self.module.to_owned(), function, mutation };
        self.mutants.push(Mutant { key, lines: span.start().line..span.end().line + 1, edits });
    }

    /// Puts something around an expression or a statement.
    fn surround(&mut self, span: Span, mutation: String, open: [&str; 2], close: &'static str) {
        let Range { start, end } = span.byte_range();
        let open = Edit::Open(open[0].to_owned(), open[1].to_owned());
        self.add(span, mutation, vec![(start, open), (end, Edit::Close(close))]);
    }

    /// The source in one line, cut.
    fn text(&self, span: Span) -> String {
        const LONGEST: usize = 90;
        let words: Vec<_> = self.source[span.byte_range()].split_whitespace().collect();
        let text = words.join(" ");
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("`{}…`", &text[..end]),
            None => format!("`{text}`"),
        }
    }

    fn fix(&mut self, span: Span) {
        self.fixed.insert((span.byte_range().start, span.byte_range().end));
    }

    /// The condition of an `if` or of an arm. Where there is nothing else to do, it only guards what follows.
    fn condition(&mut self, condition: &Expr, has_else: bool) {
        let (span, text) = (condition.span(), self.text(condition.span()));
        let binds = binds(condition);
        // A chain with `let` cannot be in parentheses, and cannot be true without what it binds.
        let (open, close) = if binds { (" && ", "") } else { (" && (", ")") };
        self.surround(span, format!("if {text} → false"), ["!", open], close);
        if has_else && !binds {
            self.surround(span, format!("if {text} → true"), ["(", " || ("], "))");
        }
        self.fix(span);
    }

    fn operand(&mut self, operand: &Expr, of: BinOp) {
        let continues =
            matches!(operand, Expr::Binary(inner) if discriminant(&inner.op) == discriminant(&of));
        if continues || binds(operand) {
            return;
        }
        let (span, text) = (operand.span(), self.text(operand.span()));
        if matches!(of, BinOp::And(_)) {
            self.surround(span, format!("operand {text} → true"), ["(", " || ("], "))");
        } else {
            self.surround(span, format!("operand {text} → false"), ["(!", " && ("], "))");
        }
        self.fix(span);
    }

    fn comparison(&mut self, comparison: &ExprBinary) {
        let (span, text) = (comparison.span(), self.text(comparison.span()));
        let other = match comparison.op {
            BinOp::Lt(_) => "<=",
            BinOp::Le(_) => "<",
            BinOp::Gt(_) => ">=",
            BinOp::Ge(_) => ">",
            _ => {
                if !self.fixed.contains(&(span.byte_range().start, span.byte_range().end)) {
                    self.surround(span, format!("{text} → the opposite"), ["(", " != ("], "))");
                }
                return;
            }
        };
        let (left, right) = (comparison.left.to_token_stream(), comparison.right.to_token_stream());
        let changed = format!(" {{ ({left}) {other} ({right}) }} else {{ ");
        self.surround(span, format!("{text} with {other}"), ["(if ", &changed], " })");
    }

    fn delete(&mut self, span: Span) {
        let text = self.text(span);
        self.surround(span, format!("delete {text}"), ["if !", " { "], " }");
    }

    fn function(&mut self, name: &Signature, attributes: &[Attribute], body: &Block) {
        if name.constness.is_some() || name.ident == "fmt" || is_test(attributes) {
            return;
        }
        self.path.push(name.ident.to_string());
        let brace = body.brace_token.span.open();
        for value in weakest(&name.output) {
            let open = Edit::Open(" if ".to_owned(), format!(" {{ return {value}; }}"));
            self.add(brace, format!("the result → {value}"), vec![(brace.byte_range().end, open)]);
        }
        self.block(body, matches!(name.output, ReturnType::Default));
        self.path.pop();
    }

    /// A block whose last expression is a statement as well, if it has no value.
    fn block(&mut self, block: &Block, unit: bool) {
        for (index, statement) in block.stmts.iter().enumerate() {
            match statement {
                Stmt::Expr(expression, Some(_)) => {
                    if acts(expression) {
                        self.delete(statement.span());
                    }
                    self.expression(expression, false);
                }
                Stmt::Expr(expression, None) => {
                    let last = index + 1 == block.stmts.len();
                    self.expression(expression, unit || !last);
                }
                other => visit::visit_stmt(self, other),
            }
        }
    }

    fn expression(&mut self, expression: &Expr, unit: bool) {
        match expression {
            Expr::If(choice) => {
                let otherwise = choice.else_branch.as_ref().map(|(_, expression)| expression);
                self.condition(&choice.cond, otherwise.is_some());
                self.expression(&choice.cond, false);
                self.block(&choice.then_branch, unit);
                if let Some(otherwise) = otherwise {
                    self.expression(otherwise, unit);
                }
            }
            Expr::Match(choice) => {
                self.expression(&choice.expr, false);
                for arm in &choice.arms {
                    if let Some((_, guard)) = &arm.guard {
                        self.condition(guard, true);
                        self.expression(guard, false);
                    }
                    self.expression(&arm.body, unit);
                }
            }
            Expr::ForLoop(repeat) => {
                self.expression(&repeat.expr, false);
                self.block(&repeat.body, true);
            }
            Expr::While(repeat) => {
                self.expression(&repeat.cond, false);
                self.block(&repeat.body, true);
            }
            Expr::Loop(repeat) => self.block(&repeat.body, true),
            Expr::Block(inner) => self.block(&inner.block, unit),
            Expr::Call(_) | Expr::MethodCall(_) if unit => {
                self.delete(expression.span());
                visit::visit_expr(self, expression);
            }
            Expr::Binary(binary) => {
                match binary.op {
                    op @ (BinOp::And(_) | BinOp::Or(_)) => {
                        self.operand(&binary.left, op);
                        self.operand(&binary.right, op);
                    }
                    BinOp::Lt(_)
                    | BinOp::Le(_)
                    | BinOp::Gt(_)
                    | BinOp::Ge(_)
                    | BinOp::Eq(_)
                    | BinOp::Ne(_) => self.comparison(binary),
                    _ => {}
                }
                visit::visit_expr_binary(self, binary);
            }
            Expr::Repeat(repeat) => self.expression(&repeat.expr, false),
            _ => visit::visit_expr(self, expression),
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.path.push(name.unwrap_or_else(|| item.self_ty.to_token_stream().to_string()));
        visit::visit_item_impl(self, item);
        self.path.pop();
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.path.push(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.path.pop();
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, &item.attrs, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig, &item.attrs, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, &item.attrs, body);
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.block(block, false);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        self.expression(expression, false);
    }

    // What is evaluated at compile time, or not at all.
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_struct(&mut self, _: &'ast syn::ItemStruct) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// Whether a condition is a pattern, or a chain with one.
fn binds(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => {
            matches!(binary.op, BinOp::And(_)) && (binds(&binary.left) || binds(&binary.right))
        }
        _ => false,
    }
}

/// Whether an expression is there for what it does.
fn acts(expression: &Expr) -> bool {
    match expression {
        Expr::Call(_) | Expr::Assign(_) => true,
        Expr::MethodCall(call) => call.method != "reserve",
        Expr::Try(attempt) => acts(&attempt.expr),
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::MulAssign(_)
                | BinOp::BitOrAssign(_)
                | BinOp::BitAndAssign(_)
                | BinOp::BitXorAssign(_)
        ),
        _ => false,
    }
}

/// The results that say the least.
fn weakest(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, ty) = output else { return &[] };
    let Type::Path(path) = &**ty else { return &[] };
    let Some(last) = path.path.segments.last() else { return &[] };
    let first = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    };
    let nothing = |argument: Option<&GenericArgument>| matches!(argument, Some(GenericArgument::Type(Type::Tuple(tuple))) if tuple.elems.is_empty());
    match last.ident.to_string().as_str() {
        "bool" => &["true", "false"],
        "Result" if nothing(first) => &["Ok(())"],
        "Option" => &["None"],
        "Vec" => &["Vec::new()"],
        _ => &[],
    }
}

/// Whether something is only there in tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || text == "cfg (test)"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only mutant of `source` with this text, as it is compiled in.
    fn rewritten(source: &str, mutation: &str) -> String {
        let found = mutants("lib.rs", source).expect("the source is Rust");
        let texts: Vec<_> = found.iter().map(|mutant| &mutant.key.mutation).collect();
        let mutant = found.iter().find(|mutant| mutant.key.mutation == mutation);
        let mutant = mutant.unwrap_or_else(|| panic!("{mutation} is not one of {texts:#?}"));
        rewrite(source, [(7, mutant)].into_iter())
    }

    #[test]
    fn a_guard_is_switched_off() {
        assert_eq!(
            rewritten("fn f(a: u8) { if a == 1 { return; } }", "if `a == 1` → false"),
            "fn f(a: u8) { if !crate::mutant::is(7) && (a == 1) { return; } }"
        );
        assert_eq!(
            rewritten(
                "fn f(a: Option<u8>) { if let Some(b) = a { g(b) } }",
                "if `let Some(b) = a` → false"
            ),
            "fn f(a: Option<u8>) { if !crate::mutant::is(7) && let Some(b) = a { g(b) } }"
        );
    }

    #[test]
    fn an_operand_has_no_say() {
        assert_eq!(
            rewritten("fn f() -> u8 { u8::from(a && b() && c) }", "operand `b()` → true"),
            "fn f() -> u8 { u8::from(a && (crate::mutant::is(7) || (b())) && c) }"
        );
        assert_eq!(
            rewritten("fn f() -> u8 { u8::from(a || !b) }", "operand `!b` → false"),
            "fn f() -> u8 { u8::from(a || (!crate::mutant::is(7) && (!b))) }"
        );
    }

    #[test]
    fn a_comparison_has_another_bound() {
        assert_eq!(
            rewritten("fn f() -> u8 { g(|a| a < 2) }", "`a < 2` with <="),
            "fn f() -> u8 { g(|a| (if crate::mutant::is(7) { (a) <= (2) } else { a < 2 })) }"
        );
        assert_eq!(
            rewritten("fn f() -> u8 { g(|a| a == 2) }", "`a == 2` → the opposite"),
            "fn f() -> u8 { g(|a| (crate::mutant::is(7) != (a == 2))) }"
        );
    }

    #[test]
    fn statements_and_results_are_replaced() {
        let source =
            "impl A<'_> { fn check(&self) -> Result<(), E> {\n    self.b()?;\n    Ok(()) } }";
        assert_eq!(
            rewritten(source, "delete `self.b()?;`"),
            "impl A<'_> { fn check(&self) -> Result<(), E> {\n    if !crate::mutant::is(7) { self.b()?; }\n    Ok(()) } }"
        );
        assert_eq!(
            rewritten(source, "the result → Ok(())"),
            "impl A<'_> { fn check(&self) -> Result<(), E> { if crate::mutant::is(7) { return Ok(()); }\n    self.b()?;\n    Ok(()) } }"
        );
        assert_eq!(
            rewritten("fn f() { match a { A => g(), B => {} } }", "delete `g()`"),
            "fn f() { match a { A => if !crate::mutant::is(7) { g() }, B => {} } }"
        );
    }

    #[test]
    fn nested_mutants_are_compiled_in_together_and_lines_stay() {
        let source = "fn f() -> bool {\n    // why\n    if a < 1\n        || b {\n        g();\n    }\n    c\n}";
        let found = mutants("lib.rs", source).expect("the source is Rust");
        let text = rewrite(source, found.iter().enumerate());
        assert!(syn::parse_file(&text).is_ok(), "{text}");
        assert_eq!(text.lines().count(), source.lines().count());
        for number in 0..found.len() {
            assert_eq!(text.matches(&format!("is({number})")).count(), 1, "{text}");
        }
        assert_eq!(found[2].lines, 3..5);
    }

    #[test]
    fn equal_mutants_of_a_function_are_numbered_and_tests_have_none() {
        let source =
            "fn f() { g(); g(); } const fn h() { g(); } #[cfg(test)] mod tests { fn f() { g(); } }";
        let found = mutants("lib.rs", source).expect("the source is Rust");
        let texts: Vec<_> = found.iter().map(|mutant| mutant.key.mutation.as_str()).collect();
        assert_eq!(texts, ["delete `g();`", "delete `g();` #2"]);
    }
}
