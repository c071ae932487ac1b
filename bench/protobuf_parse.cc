// Protobuf's C++ text parser, for bench/speed_table.py: parses a file some times, prints the CPU time of each.
//   protobuf_parse DESCRIPTOR MESSAGE FILE TIMES
// DESCRIPTOR is a serialized FileDescriptorProto; messages are dynamic ones.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

static std::string content(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

int main(int, char** argv) {
  google::protobuf::FileDescriptorProto file;
  if (!file.ParseFromString(content(argv[1]))) return 2;
  google::protobuf::DescriptorPool pool;
  const google::protobuf::FileDescriptor* built = pool.BuildFile(file);
  if (built == nullptr) return 2;
  google::protobuf::DynamicMessageFactory factory;
  const google::protobuf::Message* kind = factory.GetPrototype(pool.FindMessageTypeByName(argv[2]));
  const std::string text = content(argv[3]);
  for (int left = std::atoi(argv[4]); left > 0; --left) {
    std::unique_ptr<google::protobuf::Message> message(kind->New());
    const std::clock_t start = std::clock();
    if (!google::protobuf::TextFormat::ParseFromString(text, message.get())) return 1;
    std::printf("%.9f\n", double(std::clock() - start) / CLOCKS_PER_SEC);
  }
}
