// The shell of a page, and how times and texts stand on it.
#include "report/page.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "report/markup.hpp"

namespace freshet::report {
namespace {

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
}

}  // namespace

std::string page(std::string_view title, std::string_view body) {
  Markup markup;
  markup.raw("<!DOCTYPE html>\n").open("html", {{"lang", "en"}}).open("head");
  markup.raw("<meta charset=\"utf-8\">\n");
  // The page asks for nothing, and the browser holds it to that.
  markup.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; ");
  markup.raw("style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
  markup.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
  markup.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n");
  markup.element("title", {}, title).open("style").raw(style_text).close().close();
  markup.open("body").open("main").raw(body).close();
  markup.element("div", {{"id", "detail"}, {"aria-hidden", "true"}, {"hidden", ""}});
  markup.open("script").raw(script_text).close().close().close();
  return markup.finish();
}

std::string milliseconds_number(Duration duration) {
  // Integers to the end: ten microseconds are the last digit, rounded half away from zero.
  const std::int64_t hundredths = (duration.count() + (duration.count() < 0 ? -5 : 5)) / 10;
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%s%lld.%02lld", hundredths < 0 ? "-" : "",
                                   std::llabs(hundredths) / 100, std::llabs(hundredths) % 100);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string milliseconds(Duration duration) {
  return milliseconds_number(duration) + " ms";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shorten(std::string_view text, std::size_t characters_max) {
  if (characters(text) <= characters_max) return std::string(text);
  std::size_t end = 0;
  for (std::size_t kept = 0; end < text.size(); ++end) {
    if (begins_character(text[end]) && ++kept == characters_max) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

double width_of(std::string_view text) {
  constexpr double character_width = 5.9;  // Of 11 px in the sans-serif fonts that systems come with.
  return static_cast<double>(characters(text)) * character_width;
}

double bold_width_of(std::string_view text) {
  constexpr double bold = 1.16;
  return width_of(text) * bold;
}

}  // namespace freshet::report
