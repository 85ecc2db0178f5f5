// What ThreadSanitizer must not report: races inside the lock-free queue, whose stand-alone fences it cannot
// model; and the end of an exception that a promise carried to another thread, whose last owner is found by a
// count inside the C++ library, which is not instrumented. Linked into test programs of ThreadSanitizer builds
// only. Races beside these are still reported.
// Visible, because the sanitizer's own library calls it.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:moodycamel::\n"
         "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
