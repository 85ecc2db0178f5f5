// Which bytes are UTF-8, and which characters cannot stand on a line.
#include "base/utf8.hpp"

#include <doctest/doctest.h>

#include <string_view>

using namespace freshet;

TEST_SUITE("utf8") {
  TEST_CASE("is_utf8: sequences of one to four bytes are") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("plain"));
    CHECK(is_utf8("\xC2\x80 \xDF\xBF"));
    CHECK(is_utf8("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
    CHECK(is_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
  }
  TEST_CASE("is_utf8: a longer way to write a character is not") {
    CHECK_FALSE(is_utf8("\xC0\x80"));
    CHECK_FALSE(is_utf8("\xC1\xBF"));
    CHECK_FALSE(is_utf8("\xE0\x9F\xBF"));
    CHECK_FALSE(is_utf8("\xF0\x8F\xBF\xBF"));
  }
  TEST_CASE("is_utf8: surrogates and what is above U+10FFFF are not") {
    CHECK_FALSE(is_utf8("\xED\xA0\x80"));
    CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
    CHECK_FALSE(is_utf8("\xF5\x80\x80\x80"));
  }
  TEST_CASE("is_utf8: a sequence that is cut short or broken is not") {
    CHECK_FALSE(is_utf8("\xC3"));
    CHECK_FALSE(is_utf8("\xE2\x82"));
    CHECK_FALSE(is_utf8("\xE2\x82z"));
    CHECK_FALSE(is_utf8("\xF0\x9F\x98z"));
    CHECK_FALSE(is_utf8("\x80"));
  }
  TEST_CASE("first_character: one to four bytes, and nothing where there is none") {
    const auto is = [](std::string_view text, char32_t code, std::size_t bytes) {
      const auto first = first_character(text);
      return first && first->code == code && first->bytes == bytes;
    };
    CHECK(is("ab", U'a', 1));
    CHECK(is(std::string_view{"\0", 1}, 0, 1));
    CHECK(is("\xC3\xBCx", U'\u00FC', 2));
    CHECK(is("\xE2\x82\xAC", U'\u20AC', 3));
    CHECK(is("\xF0\x9F\x98\x80 ", U'\U0001F600', 4));
    CHECK(is("\xF4\x8F\xBF\xBF", 0x10FFFF, 4));
    for (const char* none : {"", "\x80", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xFF"})
      CHECK_FALSE(first_character(none));
  }
  TEST_CASE("is_hidden: what nobody sees or what moves others, and nothing that is read") {
    for (const char32_t code : {0x0U,    0x1BU,   0x7FU,    0x85U,    0xADU,    0x200BU,  0x200DU,   0x200FU,
                                0x2028U, 0x2029U, 0x202EU,  0x2066U,  0x2069U,  0x3164U,  0xE000U,   0xF8FFU,
                                0xFEFFU, 0xFFFEU, 0x1FFFEU, 0xE0041U, 0xE007FU, 0xF0000U, 0x10FFFDU, 0x10FFFFU}) {
      CAPTURE(static_cast<unsigned>(code));
      CHECK(is_hidden(code));
    }
    for (const char32_t code : {0x20U, 0x7EU, 0xA0U, 0xE9U, 0x301U, 0x5D0U, 0x627U, 0x2010U, 0x2027U, 0x202FU, 0x2030U,
                                0x3000U, 0xD7FFU, 0xF900U, 0xFE0FU, 0xFFFDU, 0x1F600U, 0xE0100U}) {
      CAPTURE(static_cast<unsigned>(code));
      CHECK_FALSE(is_hidden(code));
    }
  }
  TEST_CASE("has_control_character: line ends and terminal commands, in one byte or two") {
    CHECK_FALSE(has_control_character("plain, \xC3\xBC and \xC2\xA0"));
    CHECK(has_control_character("a\n"));
    CHECK(has_control_character(std::string_view{"\0", 1}));
    CHECK(has_control_character("\x7F"));
    CHECK(has_control_character("\xC2\x9B"));
  }
}
