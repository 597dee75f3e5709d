using System.Net;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Each request that is none has TF Serving's own answer (util/json_tensor.cc); the server goes on.</summary>
public sealed class PredictRefusalTests
{
    public static TheoryData<string, string> Documents() => new()
    {
        { "", "JSON Parse error: The document is empty" },
        { " ", "JSON Parse error: The document is empty. at offset: 1" },
        { "]", "JSON Parse error: The document is empty. at offset: 0" },
        { "instances = [1, 2]", "JSON Parse error: Invalid value. at offset: 0" },
        { "[1]", "JSON Value: [1] Is not object" },
        { "7", "JSON Value: 7 Is not object" },
        { "07x", "JSON Value: 0 Is not object" },
        { "truex", "JSON Value: true Is not object" },
        { "\"a\"", "JSON Value: \"a\" Is not object" },
        { "{", "JSON Parse error: Missing a name for object member. at offset: 1" },
        { "{a", "JSON Parse error: Missing a name for object member. at offset: 1" },
        { """{"a":1,}""", "JSON Parse error: Missing a name for object member. at offset: 7" },
        { """{"a" 1}""", "JSON Parse error: Missing a colon after a name of object member. at offset: 5" },
        { """{"a":1 "b":2}""", "JSON Parse error: Missing a comma or '}' after an object member. at offset: 7" },
        { """{"a":[1 2]}""", "JSON Parse error: Missing a comma or ']' after an array element. at offset: 8" },
        { """{"a":[1,]}""", "JSON Parse error: Invalid value. at offset: 8" },
        { """{"a":[01]}""", "JSON Parse error: Missing a comma or ']' after an array element. at offset: 7" },
        { """{"a":tru}""", "JSON Parse error: Invalid value. at offset: 8" },
        { """{"a":Infinit}""", "JSON Parse error: Invalid value. at offset: 12" },
        { """{"a":"\x"}""", "JSON Parse error: Invalid escape character in string. at offset: 6" },
        { """{"a":"\u12g4"}""", "JSON Parse error: Incorrect hex digit after \\u escape in string. at offset: 6" },
        { """{"a":"\ud800x"}""", "JSON Parse error: The surrogate pair in string is invalid. at offset: 6" },
        { """{"a":"b""", "JSON Parse error: Missing a closing quotation mark in string. at offset: 7" },
        { """{"a":1.}""", "JSON Parse error: Miss fraction part in number. at offset: 7" },
        { """{"a":1e}""", "JSON Parse error: Miss exponent in number. at offset: 7" },
        { """{"instances":[1e309]}""", "JSON Parse error: Number too big to be stored in double. at offset: 14" },
        { "{}", "Missing 'inputs' or 'instances' key" },
        { """{"predictions":[]}""", "Missing 'inputs' or 'instances' key" },
        { """{"signature_name":5,"instances":[1]}""", "JSON Value: {\n    \"signature_name\": 5,\n    \"instances\": [1]\n} not formatted correctly. 'signature_name' key must be a string value." },
        { """{"signature_name":"other","inputs":{}}""", "Serving signature name: \"other\" not found in signature def" },
        { """{"instances":[1],"inputs":[2.50,-0.0,1e21,1e-7,NaN,3]}""", "JSON Value: {\n    \"instances\": [1],\n    \"inputs\": [2.5, -0.0, 1e21, 1e-7,  Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist " },
        { """{"instances":7}""", "JSON Value: {\n    \"instances\": 7\n} Expecting 'instances' to be an list/array" },
        { """{"instances":[]}""", "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array" },
        { """{"instances":["x","y"]}""", "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"x\" Type: String is not of expected type: float" },
        { """{"instances":[1,null]}""", "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: null Type: Null is not of expected type: float" },
        { """{"instances":[1,{"x":1}]}""", "Expecting value/list but got object at item 1 of input list" },
        { """{"instances":[{"x":1},[1]]}""", "Expecting object but got list at item 1 of input list" },
        { """{"instances":[{"b64":"AA=="}]}""", "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: {\n    \"b64\": \"AA==\"\n} Type: Object is not of expected type: float" },
        { """{"instances":[1,[1]]}""", "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [] but got: [1]" },
        { """{"instances":[[1,2],[3,4],[5,6,7]]}""", "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 3" },
        { """{"instances":[[1,2],[3,4],[[5,6]]]}""", "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [2] but got: [1,2]" },
        { """{"instances":[[1,[2]]]}""", "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Encountered list at unexpected level: 1 expected < 1" },
        { """{"instances":[[[1],2]]}""", "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2" },
        { """{"inputs":[[1,2],[3]]}""", "Encountered list at unexpected size: 1 at level: 1 expected size: 2" },
        { """{"inputs":{"y":[1]}}""", "Missing named input: x in 'inputs' object." },
        { """{"inputs":[true]}""", "JSON Value: true Type: True is not of expected type: float" },
        // What TF Serving takes and obeys half of.
        { """{"instances":[{"x":1,"x":2}]}""", "Input 'x' stands there twice (byte 25)." },
        { """{"inputs":[1],"inputs":[2]}""", "Member 'inputs' stands there twice (byte 23)." },
        { """{"instances":[[1],[2]]}""", "Input 'x' takes shape [-1], not [2,1]." },
    };

    public static TheoryData<string, string> Names() => new()
    {
        { """{"instances":[[1,2]]}""", "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map" },
        { """{"instances":[{"a":[1,2]}]}""", "Failed to process element: 0 of 'instances' list. JSON object: {\n    \"a\": [1, 2]\n} keys must be equal to: a,b" },
        { """{"instances":[{"a":[1,2],"b":[1,2]},{"a":[1,2]}]}""", "Failed to process element: 1 of 'instances' list. JSON object: {\n    \"a\": [1, 2]\n} keys must be equal to: a,b" },
        { """{"instances":[{"a":[1,2],"b":[1,2]},[1]]}""", "Expecting object but got list at item 1 of input list" },
        { """{"instances":[{"a":[1,2],"b":[1,2],"c":1}]}""", "Failed to process element: 0 key: c of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: c" },
        { """{"instances":[{"a":[1,2],"b":[1,2]},{"a":[1,2],"b":[1]}]}""", "Failed to process element: 1 key: b of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1" },
        { """{"instances":[{"a":[1,2],"b":[1,2]},{"a":[1,2],"b":[[1,2]]}]}""", "Failed to process element: 1 key: b of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [2] but got: [1,2]" },
        { """{"inputs":[1,2]}""", "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map" },
        { """{"inputs":{"a":[[1,2]]}}""", "Missing named input: b in 'inputs' object." },
        { """{"instances":[{"a":[1,2,3],"b":[1,2]}]}""", "Input 'a' takes shape [-1,2], not [1,3]." },
    };

    public static TheoryData<int, string, string> Types() => new()
    {
        { 6, "[[1,2.0]]", "JSON Value: 2.0 Type: Number is not of expected type: int32" },
        { 6, "[[1,2147483648]]", "JSON Value: 2147483648 Type: Number is not of expected type: int32" },
        { 7, "[[9223372036854775808,1]]", "JSON Value: 9223372036854775808 Type: Number is not of expected type: int64" },
        { 13, "[[18446744073709551616,1]]", "JSON Value: 18446744073709552000.0 Type: Number is not of expected type: uint64" },
        { 13, "[[-1,1]]", "JSON Value: -1 Type: Number is not of expected type: uint64" },
        { 12, "[[4294967296,1]]", "JSON Value: 4294967296 Type: Number is not of expected type: uint32" },
        { 9, "[[true,1]]", "JSON Value: 1 Type: Number is not of expected type: bool" },
        { 8, "[[\"a\",1]]", "JSON Value: 1 Type: Number is not of expected type: string" },
        { 8, "[[{\"b64\":\"*\"}]]", "Unable to base64 decode" },
        { 8, "[[{\"b64\":\"YQ==\",\"c\":1}]]", "JSON Value: {\n    \"b64\": \"YQ==\",\n    \"c\": 1\n} not formatted correctly for base64 data" },
    };

    [Theory, MemberData(nameof(Documents))]
    public Task Half_plus_two_says_what_is_wrong(string body, string reason) => CheckAsync(TestModels.HalfPlusTwo, body, reason);

    [Theory, MemberData(nameof(Names))]
    public Task Several_inputs_are_told_apart(string body, string reason) => CheckAsync(TestModels.SumAndDifference, body, reason);

    [Theory, MemberData(nameof(Types))]
    public Task Every_type_is_held_to(int type, string instances, string reason) => CheckAsync(TestModels.Identity(type), $$"""{"instances":{{instances}}}""",
        $"Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: {reason}");

    [Theory]
    [InlineData(3, "128"), InlineData(2, "-1"), InlineData(5, "32768")]
    public Task A_narrow_type_is_not_overflowed(int type, string number) => CheckAsync(TestModels.Identity(type), $$"""{"instances":[[{{number}}]]}""",
        $"Input 'x': the number does not fit {(type switch { 3 => "INT8", 2 => "UINT8", _ => "INT16" })} (byte 15).");

    [Theory]
    [InlineData("""["a\u0000b"]""", "Input 'x': value 0 is not UTF-8 text without zero characters.")]
    [InlineData("""["a",{"b64":"/w=="}]""", "Input 'x': value 1 is not UTF-8 text without zero characters.")]
    public Task Texts_that_the_engine_cannot_take_are_refused(string instances, string reason) => CheckAsync(TestModels.TextIdentity, $$"""{"instances":{{instances}}}""", reason);

    [Fact]
    public async Task An_answer_that_is_no_batch_is_refused()
    {
        byte[] model = new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, -1).Node("ReduceSum", ["x"], ["y"], Cloister.Onnx.Tests.Runtime.HandmadeModel.Int("keepdims", 0)).Output("y", 1).ToBytes();
        await CheckAsync(model, """{"instances":[1,2]}""", "Tensor name: y has no shape information ");
    }

    private static async Task CheckAsync(byte[] model, string body, string reason)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("m", model));
        for (int round = 0; round < 2; round++)
        {
            (HttpStatusCode status, string answer) = await server.PostAsync("/v1/models/m:predict", body);
            Assert.Equal((HttpStatusCode.BadRequest, reason), (status, Refusal.Reason(answer)));
        }
    }
}
