// Draws one sign for each kind of occurrence.
#include "report/glyphs.hpp"

#include "base/ensure.hpp"

namespace freshet::report {
namespace {

using scenario::Kind;
using scenario::Occurrence;

struct Glyph {
  std::string_view name;
  std::string_view meaning;
  std::string_view path;  // In SVG's words.
};

constexpr std::string_view square = "M-5.5 -5.5H5.5V5.5H-5.5Z";
constexpr std::string_view circle = "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0Z";
constexpr std::string_view diamond = "M0 -7L7 0L0 7L-7 0Z";

Glyph glyph_of(const Occurrence& occurrence) {
  switch (occurrence.kind) {
    case Kind::appended:
      return {"appended", "event appended", square};
    case Kind::succeeded:
      return {"succeeded", "command succeeded", "M-6 0L-2 4.5L6 -5"};
    case Kind::refused:
      return {"refused", "command refused", "M-5 -5L5 5M5 -5L-5 5"};
    case Kind::read:
      if (occurrence.stale) return {"stale", "stale read", "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0ZM-3.2 3.2L3.2 -3.2"};
      return {"fresh", "fresh read", circle};
    case Kind::delivered:
      if (occurrence.attempt > 1) return {"redelivered", "delivered again", diamond};
      return {"delivered", "message delivered", diamond};
    case Kind::skipped:
      return {"skipped", "duplicate skipped", "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0ZM-3 0H3"};
    case Kind::applied:
      return {"applied", "event applied", "M-6 5L0 -6L6 5Z"};
    case Kind::committed:
      return {"committed", "offsets committed", "M-3 7V-6L5 -3L-3 0"};
    case Kind::crashed:
      return {"crashed", "crash", "M-7 -7L7 7M7 -7L-7 7"};
    case Kind::restarted:
      return {"restarted", "restart", "M-4.5 -6.5L6.5 0L-4.5 6.5Z"};
    case Kind::said:
      return {"said", "said by the script", "M-6 -5H6V3H-1L-4 7V3H-6Z"};
  }
  ensure(false, "every kind has a glyph");
  return {};
}

}  // namespace

std::string_view meaning(const Occurrence& occurrence) {
  return glyph_of(occurrence).meaning;
}

std::string_view glyph_name(const Occurrence& occurrence) {
  return glyph_of(occurrence).name;
}

void draw_glyph(Markup& markup, const Occurrence& occurrence) {
  const Glyph glyph = glyph_of(occurrence);
  markup.element("path", {{"class", "glyph " + std::string(glyph.name)}, {"d", glyph.path}});
}

}  // namespace freshet::report
