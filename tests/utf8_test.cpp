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
  TEST_CASE("has_control_character: line ends and terminal commands, in one byte or two") {
    CHECK_FALSE(has_control_character("plain, \xC3\xBC and \xC2\xA0"));
    CHECK(has_control_character("a\n"));
    CHECK(has_control_character(std::string_view{"\0", 1}));
    CHECK(has_control_character("\x7F"));
    CHECK(has_control_character("\xC2\x9B"));
  }
}
