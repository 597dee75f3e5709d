using System.Text;

namespace Cloister.Protocol.Templates.Values;

/// <summary>Go's pkix.Name.</summary>
internal sealed class PkixName : GoStruct
{
    private static readonly GoType s_strings = new("[]string", TemplateValueKind.Slice) { Element = "string" };
    private static readonly GoType s_attributes = new("[]pkix.AttributeTypeAndValue", TemplateValueKind.Slice) { Element = "pkix.AttributeTypeAndValue" };
    private static readonly GoType s_attribute = new("pkix.AttributeTypeAndValue", TemplateValueKind.Struct)
    {
        Fields = [new("Type", "asn1.ObjectIdentifier"), new("Value", "interface {}")],
        IsComparable = false,
    };

    private static readonly (string Field, string Oid, string Short)[] s_known =
    [
        ("Country", "2.5.4.6", "C"), ("Organization", "2.5.4.10", "O"), ("OrganizationalUnit", "2.5.4.11", "OU"), ("Locality", "2.5.4.7", "L"),
        ("Province", "2.5.4.8", "ST"), ("StreetAddress", "2.5.4.9", "STREET"), ("PostalCode", "2.5.4.17", "POSTALCODE"),
        ("CommonName", "2.5.4.3", "CN"), ("SerialNumber", "2.5.4.5", "SERIALNUMBER"),
    ];

    private static readonly GoType s_name = Named();

    private readonly IReadOnlyList<NameAttribute> _attributes;

    private PkixName(IReadOnlyList<NameAttribute> attributes) : base(s_name, field => FieldOf(attributes, field)) => _attributes = attributes;

    public static PkixName Of(IReadOnlyList<NameAttribute> attributes) => new(attributes);

    private static GoType Named()
    {
        GoType text = CommonValues.WithText("pkix.Name", TemplateValueKind.Struct, value => ((PkixName)value).Text());
        return new GoType("pkix.Name", TemplateValueKind.Struct)
        {
            Text = text.Text,
            Methods = text.Methods,
            IsComparable = false,
            Fields =
            [
                .. s_known[..7].Select(known => new GoField(known.Field, "[]string")), new("SerialNumber", "string"), new("CommonName", "string"),
                new("Names", "[]pkix.AttributeTypeAndValue"), new("ExtraNames", "[]pkix.AttributeTypeAndValue"),
            ],
        };
    }

    private static TemplateValue FieldOf(IReadOnlyList<NameAttribute> attributes, string field)
    {
        if (field == "ExtraNames") return new GoList(s_attributes, []);
        if (field == "Names")
            return new GoList(s_attributes, [.. attributes.Select(one => new GoStruct(s_attribute, name => name == "Type" ? CommonValues.Oid(one.Oid) : GoString.Of(one.Value)))]);
        string oid = s_known.First(known => known.Field == field).Oid;
        IEnumerable<string> values = attributes.Where(one => one.Oid == oid).Select(one => one.Value);
        return field is "SerialNumber" or "CommonName" ? GoString.Of(values.LastOrDefault() ?? "") : new GoList(s_strings, [.. values.Select(GoString.Of)]);
    }

    // pkix.Name.String: RFC 2253, the last relative name first. Attributes of other types are left out.
    private string Text()
    {
        var text = new StringBuilder();
        foreach ((_, string oid, string shortName) in s_known.Reverse())
        {
            string[] values = [.. _attributes.Where(one => one.Oid == oid).Select(one => one.Value)];
            if (values.Length == 0) continue;
            if (oid is "2.5.4.3" or "2.5.4.5") values = values[^1..];
            if (text.Length > 0) text.Append(',');
            text.AppendJoin('+', values.Select(value => $"{shortName}={Escaped(value)}"));
        }
        return text.ToString();
    }

    private static string Escaped(string value)
    {
        var text = new StringBuilder();
        for (int i = 0; i < value.Length; i++)
        {
            bool escape = value[i] is ',' or '+' or '"' or '\\' or '<' or '>' or ';'
                || (value[i] == ' ' && (i == 0 || i == value.Length - 1)) || (value[i] == '#' && i == 0);
            text.Append(escape ? "\\" : "").Append(value[i]);
        }
        return text.ToString();
    }
}
