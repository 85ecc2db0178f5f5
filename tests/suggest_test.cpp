// Suggestions for misspelt words.
#include "base/suggest.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace freshet;

TEST_SUITE("suggest") {
  TEST_CASE("nearest: the closest of several is suggested, and nothing that is far") {
    const std::vector<std::string> known{"place", "pay", "ship"};
    CHECK(nearest("palce", known) == "place");
    CHECK(nearest("shp", known) == "ship");
    CHECK(nearest("deliver", known) == std::nullopt);
  }

  TEST_CASE("nearest: of a short word one letter is wrong, or two are exchanged, and no more") {
    const std::vector<std::string> known{"log", "get", "shell", "--db"};
    CHECK(nearest("lgo", known) == "log");
    CHECK(nearest("--bd", known) == "--db");
    for (const char* other : {"foo", "lst", "it", "help", "--a", "g", "-"})
      CHECK(nearest(other, known) == std::nullopt);
  }

  TEST_CASE("nearest: a text longer than any name is nobody's misspelling, and costs nothing") {
    const std::string name(100, 'n');
    CHECK(nearest(name.substr(1), {name}) == name);
    CHECK(nearest(name + "n", {name}) == std::nullopt);
  }
}
