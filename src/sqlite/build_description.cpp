// What this build is made of.
#include <sqlite3.h>

#include <string>

#include "freshet/store.hpp"

namespace freshet {

std::string build_description() {
  std::string text = "freshet " FRESHET_VERSION "\nSQLite " + std::string(sqlite3_libversion()) + " (";
  const char* separator = "";
  for (int index = 0; const char* option = sqlite3_compileoption_get(index); ++index) {
    text += separator;
    text += option;
    separator = " ";
  }
  return text + ")\ncompiler " __VERSION__;
}

}  // namespace freshet
