// The order desk as a desktop application: orders_desktop [FILE].
#include <QApplication>

#include "window.hpp"

int main(int argument_count, char** arguments) {
  const QApplication application(argument_count, arguments);
  const QStringList words = QApplication::arguments();
  desktop::Window window(words.size() > 1 ? words[1].toStdString() : "freshet.db");
  window.show();
  return QApplication::exec();
}
