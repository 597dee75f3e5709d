using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Cloister.Protocol.Templates.Formatting;

namespace Cloister.Protocol.Templates.Values;

/// <summary>Values of Go's standard types that certificates hold: big.Int, pkix.Name, net.IP, asn1.ObjectIdentifier, url.URL.</summary>
internal static class CommonValues
{
    private static readonly GoType s_bigInt = new("big.Int", TemplateValueKind.Struct) { IsComparable = false };

    public static readonly GoType BigIntPointer = new("*big.Int", TemplateValueKind.Pointer)
    {
        Text = value => Number(value)?.ToString(CultureInfo.InvariantCulture) ?? "<nil>",
        Methods = new Dictionary<string, GoMethod>
        {
            ["String"] = new([], (value, _) => GoString.Of(Number(value)?.ToString(CultureInfo.InvariantCulture) ?? "<nil>")),
            ["Sign"] = new([], (value, _) => new GoInt(Set(value).Sign)),
            ["BitLen"] = new([], (value, _) => new GoInt((long)BigInteger.Abs(Set(value)).GetBitLength())),
            ["Int64"] = new([], (value, _) => new GoInt(unchecked((long)(ulong)(Set(value) & ulong.MaxValue)), GoType.Int64)),
            ["Uint64"] = new([], (value, _) => new GoUint((ulong)(Set(value) & ulong.MaxValue), GoType.Uint64)),
            ["Bytes"] = new([], (value, _) => new GoBytes(BigInteger.Abs(Set(value)).ToByteArray(isUnsigned: true, isBigEndian: true))),
            ["Text"] = new([GoParameter.Number], (value, arguments) => GoString.Of(BigIntText.InBase(Set(value), ((GoInt)arguments[0]!).Value))),
        }.ToFrozenDictionary(),
    };

    private static readonly GoType s_oid = WithText("asn1.ObjectIdentifier", TemplateValueKind.Slice, value => string.Join('.', ((GoList)value).Items.Select(item => ((GoInt)item!).Value)), "int");

    private static readonly GoType s_address = WithText("net.IP", TemplateValueKind.Slice, value => AddressText(((GoBytes)value).Bytes.Span), "uint8");

    private static readonly GoType s_uriPointer = WithText("*url.URL", TemplateValueKind.Pointer, value => ((UriStruct)((GoPointer)value).Target!).Source);

    /// <summary>A type with a String method, which is also how its values print.</summary>
    public static GoType WithText(string name, TemplateValueKind kind, Func<TemplateValue, string> text, string element = "") => new(name, kind)
    {
        Text = text,
        Element = element,
        IsComparable = kind != TemplateValueKind.Slice,
        Methods = new Dictionary<string, GoMethod> { ["String"] = new([], (value, _) => GoString.Of(text(value))) }.ToFrozenDictionary(),
    };

    public static TemplateValue BigInt(BigInteger number) => new BigIntStruct(number);

    public static TemplateValue Oid(string oid) => new GoList(s_oid, [.. oid.Split('.').Select(part => new GoInt(long.TryParse(part, CultureInfo.InvariantCulture, out long arc) ? arc : 0))]);

    public static TemplateValue Address(byte[] address) => new GoBytes(address, s_address);

    public static TemplateValue Uri(string uri) => new GoPointer(s_uriPointer, new UriStruct(uri));

    /// <summary>pkix.Name.</summary>
    public static TemplateValue Name(IReadOnlyList<NameAttribute> attributes) => PkixName.Of(attributes);

    /// <summary>The number of a *big.Int; null of a nil one.</summary>
    public static BigInteger? Number(TemplateValue value) => ((value as GoPointer)?.Target as BigIntStruct)?.Number;

    private static BigInteger Set(TemplateValue value) => Number(value) ?? throw new GoCallException("runtime error: invalid memory address or nil pointer dereference");

    private static string AddressText(ReadOnlySpan<byte> address)
    {
        if (address.Length is not (4 or 16)) return address.IsEmpty ? "<nil>" : "?" + Convert.ToHexStringLower(address);
        var read = new IPAddress(address);
        return read.AddressFamily == AddressFamily.InterNetworkV6 && read.IsIPv4MappedToIPv6 ? read.MapToIPv4().ToString() : read.ToString();
    }

    private sealed class BigIntStruct(BigInteger number) : GoStruct(s_bigInt, _ => null)
    {
        public BigInteger Number { get; } = number;
    }

    private sealed class UriStruct(string source) : GoStruct(new GoType("url.URL", TemplateValueKind.Struct), _ => null)
    {
        public string Source { get; } = source;
    }
}
