using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>Which model a <c>ModelInferRequest</c> asks, and how many tensors it brings: what must be known before its tensors can be read.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">Its version; empty for the newest.</param>
/// <param name="Inputs">The number of <c>inputs</c>.</param>
/// <param name="Raw">The number of <c>raw_input_contents</c>.</param>
internal readonly record struct ModelAddress(string Model, string Version, int Inputs, int Raw)
{
    /// <summary>The version asked for.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.VersionNotFound"/>.</exception>
    public VersionChoice Choice => ChoiceOf(Model, Version);

    /// <summary>A version as the service's messages name one: empty for the newest.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.VersionNotFound"/>.</exception>
    public static VersionChoice ChoiceOf(string model, string version) => VersionChoice.Parse(model, version.Length == 0 ? null : version);

    /// <summary>Walks over the request once.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public static ModelAddress Read(in ReadOnlySequence<byte> message)
    {
        var reader = new WireReader(message);
        string model = "", version = "";
        int inputs = 0, raw = 0;
        while (reader.Next(out int field, out WireType type))
        {
            if (field is >= ModelInferFields.ModelName and <= ModelInferFields.RawInputContents) WireReader.Demand(field, type, WireType.Bytes);
            switch (field)
            {
                case ModelInferFields.ModelName: model = reader.Text("'model_name'"); break;
                case ModelInferFields.ModelVersion: version = reader.Text("'model_version'"); break;
                case ModelInferFields.Inputs: inputs++; reader.Skip(type); break;
                case ModelInferFields.RawInputContents: raw++; reader.Skip(type); break;
                default: reader.Skip(type); break;
            }
        }
        return new ModelAddress(model, version, inputs, raw);
    }
}
