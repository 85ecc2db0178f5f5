// Writes the pages of the fixture's runs and measurements into a folder, for a browser to look at.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "report/html.hpp"
#include "report_fixture.hpp"

namespace {

void write(const std::filesystem::path& file, const std::string& page) {
  std::ofstream stream(file, std::ios::binary);
  if (!(stream << page << std::flush)) throw std::runtime_error("cannot write '" + file.string() + "'");
}

void write_pages(const std::filesystem::path& folder) {
  using namespace freshet;
  using report::render_html;
  write(folder / "staleness.html", render_html(tests::staleness_run()));
  write(folder / "crash.html", render_html(tests::crash_run()));
  write(folder / "hostile.html", render_html(tests::hostile_run()));
  write(folder / "models.html", render_html(tests::two_models_run(4)));
  write(folder / "long.html", render_html(tests::two_models_run(150)));
  write(folder / "all.html",
        render_html(std::vector{tests::staleness_run(), tests::crash_run(), tests::two_models_run(4)}));
  write(folder / "visibility.html", render_html(tests::fixed_delay_visibility()));
  write(folder / "outlier.html", render_html(tests::drawn_delay_visibility()));
  write(folder / "throughput.html", render_html(tests::six_rows()));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: report_pages FOLDER\n";
    return 2;
  }
  try {
    write_pages(arguments[1]);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
  }
  return 0;
}
