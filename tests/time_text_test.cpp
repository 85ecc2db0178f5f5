// Tests of times and spans of time as text.
#include "base/time_text.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using freshet::Duration;
using freshet::format_day;
using freshet::format_duration;
using freshet::format_timestamp;
using freshet::parse_duration;
using freshet::parse_timestamp;
using freshet::Timestamp;

namespace {

// A moment in 2017, the year that most of these tests speak of.
Timestamp moment(unsigned month, unsigned day, Duration time_of_day) {
  return std::chrono::sys_days{std::chrono::year{2017} / static_cast<int>(month) / static_cast<int>(day)} + time_of_day;
}

}  // namespace

TEST_SUITE("time_text") {
  TEST_CASE("parse_duration: a number and a unit") {
    CHECK(parse_duration("250us") == 250us);
    CHECK(parse_duration("50ms") == 50ms);
    CHECK(parse_duration("3s") == 3s);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("1h") == 1h);
    CHECK(parse_duration("0s") == 0s);
  }

  TEST_CASE("parse_duration: decimals are exact") {
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("0.000001s") == 1us);
    CHECK(parse_duration("1.50ms") == 1500us);
    CHECK(parse_duration("0.1h") == 6min);
    CHECK(parse_duration("23.999999999h") == std::nullopt);  // Ends 0.4 us after a whole microsecond.
  }

  TEST_CASE("parse_duration: less than a microsecond is refused") {
    CHECK_FALSE(parse_duration("0.0000001s"));
    CHECK(parse_duration("1.005ms") == 1005us);
    CHECK_FALSE(parse_duration("1.0005ms"));
    CHECK_FALSE(parse_duration("0.5us"));
  }

  TEST_CASE("parse_duration: 24 hours and no more") {
    CHECK(parse_duration("24h") == 24h);
    CHECK(parse_duration("86400s") == 24h);
    CHECK_FALSE(parse_duration("86400.000001s"));
    CHECK_FALSE(parse_duration("25h"));
    CHECK_FALSE(parse_duration("9223372036854775807h"));
    CHECK_FALSE(parse_duration("99999999999999999999us"));
  }

  TEST_CASE("parse_duration: anything else is refused") {
    for (const char* text : {"",    "0",   "5",  "ms",   "-1s", "+1s", ".5s",  "1.s",  "1..5s", "1.5.2s", "1 s",
                             " 1s", "1s ", "1S", "1sec", "1d",  "1s1", "1e3s", "0x1s", "1,5s",  "inf",    "nan"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_duration(text));
    }
  }

  TEST_CASE("format_duration: the shortest text that is exact") {
    CHECK(format_duration(50ms) == "50ms");
    CHECK(format_duration(1500ms) == "1.5s");
    CHECK(format_duration(250us) == "250us");
    CHECK(format_duration(0us) == "0s");
    CHECK(format_duration(1234567us) == "1.234567s");
    CHECK(format_duration(1250us) == "1.25ms");
    CHECK(format_duration(90s) == "90s");
    CHECK(format_duration(2h) == "2h");
    CHECK(format_duration(48h) == "48h");
    CHECK(format_duration(-50ms) == "-50ms");
  }

  TEST_CASE("format_duration: parse_duration reads it back") {
    for (const Duration duration : {1us, 999us, 1000us, 1001us, 59'999'999us, 60'000'000us, 3'600'000'001us}) {
      CAPTURE(format_duration(duration));
      CHECK(parse_duration(format_duration(duration)) == duration);
    }
  }

  TEST_CASE("parse_timestamp: a day and a time in UTC") {
    CHECK(parse_timestamp("2017-10-02T10:56:33Z") == moment(10, 2, 10h + 56min + 33s));
    CHECK(parse_timestamp("2017-10-02t10:56:33z") == moment(10, 2, 10h + 56min + 33s));
    CHECK(parse_timestamp("2017-10-02T10:56:33") == moment(10, 2, 10h + 56min + 33s));
    CHECK(parse_timestamp("2017-10-02") == moment(10, 2, 0s));
  }

  TEST_CASE("parse_timestamp: up to six decimals of a second") {
    CHECK(parse_timestamp("2017-10-02T10:56:33.5Z") == moment(10, 2, 10h + 56min + 33500ms));
    CHECK(parse_timestamp("2017-10-02T10:56:33.000001Z") == moment(10, 2, 10h + 56min + 33000001us));
    CHECK_FALSE(parse_timestamp("2017-10-02T10:56:33.Z"));
    CHECK_FALSE(parse_timestamp("2017-10-02T10:56:33.0000000Z"));
  }

  TEST_CASE("parse_timestamp: an offset says how far the time is ahead of UTC") {
    CHECK(parse_timestamp("2017-10-02T01:00:00+02:00") == moment(10, 1, 23h));
    CHECK(parse_timestamp("2017-10-02T22:30:00-03:30") == moment(10, 3, 2h));
    CHECK_FALSE(parse_timestamp("2017-10-02T01:00:00+0200"));
    CHECK_FALSE(parse_timestamp("2017-10-02T01:00:00+24:00"));
    CHECK_FALSE(parse_timestamp("2017-10-02T01:00:00+02:60"));
  }

  TEST_CASE("parse_timestamp: days and times that do not exist are refused") {
    for (const char* text :
         {"2017-02-29", "2017-00-01", "2017-13-01", "2017-04-31", "2017-01-00", "2017-10-02T24:00:00Z",
          "2017-10-02T10:60:00Z", "2016-12-31T23:59:60Z", "2017-10-02T-1:00:00Z"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_timestamp(text));
    }
    CHECK(parse_timestamp("2016-02-29"));
  }

  TEST_CASE("parse_timestamp: years 1678 to 2261") {
    CHECK(parse_timestamp("1678-01-01T00:00:00Z"));
    CHECK(parse_timestamp("2261-12-31T23:59:59.999999Z"));
    CHECK_FALSE(parse_timestamp("1677-12-31T23:59:59Z"));
    CHECK_FALSE(parse_timestamp("2262-01-01"));
    CHECK_FALSE(parse_timestamp("1678-01-01T00:00:00+00:01"));
  }

  TEST_CASE("parse_timestamp: anything else is refused") {
    for (const char* text :
         {"", "2017", "2017-10", "2017-1-2", "17-10-02", "20171002", "2017-10-02T", "2017-10-02Z",
          "2017-10-02 10:56:33", "2017-10-02T10:56Z", "2017-10-02T10:56:33 Z", "2017-10-02T10:56:33ZZ", " 2017-10-02",
          "2017-10-02T10:56:33+", "-2017-10-02", "2017-10-02T1a:56:33Z"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_timestamp(text));
    }
  }

  TEST_CASE("format_timestamp: always six decimals and Z") {
    CHECK(format_timestamp(moment(10, 2, 10h + 56min + 33s)) == "2017-10-02T10:56:33.000000Z");
    CHECK(format_timestamp(Timestamp{-1us}) == "1969-12-31T23:59:59.999999Z");
    CHECK(parse_timestamp(format_timestamp(Timestamp{-1us})) == Timestamp{-1us});
  }

  TEST_CASE("format_day: the day in UTC") {
    CHECK(format_day(moment(3, 9, 23h + 59min)) == "2017-03-09");
    CHECK(format_day(Timestamp{-1us}) == "1969-12-31");
  }
}
