namespace Cloister.Serving.Repository;

/// <summary>Where one version of a model stands (tensorflow/serving, apis/get_model_status.proto, <c>ModelVersionStatus.State</c>).</summary>
internal enum ModelVersionState
{
    /// <summary>Found in the store, not being opened yet.</summary>
    Start = 10,

    /// <summary>Being opened.</summary>
    Loading = 20,

    /// <summary>It answers.</summary>
    Available = 30,

    /// <summary>It takes no new request and ends with its last one.</summary>
    Unloading = 40,

    /// <summary>It is gone, or was refused: then there is a reason.</summary>
    End = 50,
}
