namespace Cloister.Serving.TensorFlow.Json;

/// <summary>What TF Serving's JSON parser (RapidJSON, error/en.h) calls each fault: clients match these texts.</summary>
internal static class JsonFaults
{
    public const string DocumentEmpty = "The document is empty.";
    public const string InvalidValue = "Invalid value.";
    public const string MissingName = "Missing a name for object member.";
    public const string MissingColon = "Missing a colon after a name of object member.";
    public const string MissingCommaInObject = "Missing a comma or '}' after an object member.";
    public const string MissingCommaInList = "Missing a comma or ']' after an array element.";
    public const string InvalidHex = "Incorrect hex digit after \\u escape in string.";
    public const string InvalidSurrogate = "The surrogate pair in string is invalid.";
    public const string InvalidEscape = "Invalid escape character in string.";
    public const string MissingQuote = "Missing a closing quotation mark in string.";
    public const string NumberTooBig = "Number too big to be stored in double.";
    public const string MissingFraction = "Miss fraction part in number.";
    public const string MissingExponent = "Miss exponent in number.";
}
