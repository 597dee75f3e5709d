using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Cloister.Protocol.Grpc.Reflection;

/// <summary>Files by name and by the symbols they declare. Made once, then only read.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = new(StringComparer.Ordinal), _symbols = new(StringComparer.Ordinal);
    private readonly List<string> _services = [];

    public DescriptorIndex(IEnumerable<FileDescriptor> files)
    {
        foreach (FileDescriptor file in files)
        {
            Add(file);
            foreach (ServiceDescriptor service in file.Services)
                if (!_services.Contains(service.FullName)) _services.Add(service.FullName);
        }
        _services.Sort(StringComparer.Ordinal);
    }

    /// <summary>The services of the files that were given, not of those they import.</summary>
    public IReadOnlyList<string> Services => _services;

    public FileDescriptor? ByName(string file) => _files.GetValueOrDefault(file);

    /// <summary>The file that declares a message, enum, field, enum value, service or method.</summary>
    public FileDescriptor? BySymbol(string symbol) => _symbols.GetValueOrDefault(symbol);

    /// <summary>A file and everything it imports, without what was sent before.</summary>
    public static void Collect(FileDescriptor file, HashSet<string> sent, ICollection<ByteString> into)
    {
        if (!sent.Add(file.Name)) return;
        into.Add(file.SerializedData);
        foreach (FileDescriptor import in file.Dependencies) Collect(import, sent, into);
    }

    private void Add(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file)) return;
        foreach (MessageDescriptor message in file.MessageTypes) Add(message);
        foreach (EnumDescriptor type in file.EnumTypes) Add(type);
        foreach (ServiceDescriptor service in file.Services)
        {
            _symbols.TryAdd(service.FullName, file);
            foreach (MethodDescriptor method in service.Methods) _symbols.TryAdd(method.FullName, file);
        }
        foreach (FileDescriptor import in file.Dependencies) Add(import);
    }

    private void Add(MessageDescriptor message)
    {
        _symbols.TryAdd(message.FullName, message.File);
        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder()) _symbols.TryAdd(field.FullName, message.File);
        foreach (MessageDescriptor nested in message.NestedTypes) Add(nested);
        foreach (EnumDescriptor type in message.EnumTypes) Add(type);
    }

    private void Add(EnumDescriptor type)
    {
        _symbols.TryAdd(type.FullName, type.File);
        foreach (EnumValueDescriptor value in type.Values) _symbols.TryAdd(value.FullName, type.File);
    }
}
