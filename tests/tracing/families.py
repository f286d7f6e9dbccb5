"""Small configurations of real classes, by family."""

from __future__ import annotations

from typing import Any

LAYERS, HEADS = 3, 4
# Between two evils. With the usual initial weights (0.02) attention is so even that a lost scaling
# hardly shows. With large ones (0.5) scores reach 30 and more, each layer enlarges what the one
# before rounded, and the library's own float32 weights move by 1e-5 with the batch around an
# example, the threads and the processor. With these, scores are a few units and move by 1e-6.
INITIAL = 0.2
COMMON = {"vocab_size": 50, "initializer_range": INITIAL, "pad_token_id": 0}
BERT = {
    **COMMON,
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 40,
    "max_position_embeddings": 24,
}
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
WINDOW = 5

DECODER = {**LLAMA, "sliding_window": WINDOW}
T5 = {
    **COMMON,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 40,
    "num_layers": LAYERS,
    "num_decoder_layers": 2,
    "num_heads": HEADS,
    "decoder_start_token_id": 0,
    "initializer_factor": 1.0,
}
BART = {
    **COMMON,
    "d_model": 32,
    "encoder_layers": LAYERS,
    "decoder_layers": 2,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 24,
    "init_std": INITIAL,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "forced_eos_token_id": None,
    "decoder_start_token_id": 2,
}
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 40,
    "image_size": 24,
    "patch_size": 6,
    "initializer_range": INITIAL,
}
# Of its own way to draw weights, from the sizes of the layers.
CLIP = {"initializer_factor": 2.5}
BLOOM = {**COMMON, "hidden_size": 32, "n_layer": LAYERS, "n_head": HEADS}
FALCON = {
    **COMMON,
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "alibi": False,
    "max_position_embeddings": 64,
}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", BERT),
    "roberta": ("Roberta", {**BERT, "pad_token_id": 1}),
    "distilbert": (
        "DistilBert",
        {
            **COMMON,
            "dim": 32,
            "n_layers": LAYERS,
            "n_heads": HEADS,
            "hidden_dim": 40,
            "max_position_embeddings": 24,
        },
    ),
    "electra": ("Electra", {**BERT, "embedding_size": 16}),
    "albert": ("Albert", {**BERT, "embedding_size": 16}),
    "modernbert": (
        "ModernBert",
        {
            **BERT,
            "local_attention": 4,
            "global_attn_every_n_layers": 2,
            "cls_token_id": 1,
            "sep_token_id": 2,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    "deberta_v2": (
        "DebertaV2",
        {
            **BERT,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 4,
            "type_vocab_size": 0,
        },
    ),
    "gpt2": (
        "GPT2",
        {**COMMON, "n_embd": 32, "n_layer": LAYERS, "n_head": HEADS, "n_positions": 24},
    ),
    "gpt_neox": ("GPTNeoX", BERT),
    "gptj": (
        "GPTJ",
        {
            **COMMON,
            "n_embd": 32,
            "n_layer": LAYERS,
            "n_head": HEADS,
            "n_positions": 24,
            "rotary_dim": 4,
        },
    ),
    "llama": ("Llama", LLAMA),
    "mistral": ("Mistral", DECODER),
    "qwen2": ("Qwen2", LLAMA),
    "qwen3": ("Qwen3", LLAMA),
    "qwen3_next": (
        "Qwen3Next",
        {
            **LLAMA,
            "num_hidden_layers": 4,
            "layer_types": ["linear_attention", "full_attention"] * 2,
            "linear_num_value_heads": 4,
            "linear_num_key_heads": 2,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": 8,
            "shared_expert_intermediate_size": 8,
        },
    ),
    "gemma2": (
        "Gemma2",
        {**DECODER, "attn_logit_softcapping": 2.0, "query_pre_attn_scalar": 16},
    ),
    "gemma3": (
        "Gemma3Text",
        {
            **DECODER,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "query_pre_attn_scalar": 8,
        },
    ),
    "phi3": ("Phi3", {**DECODER, "bos_token_id": 1, "eos_token_id": 2}),
    "opt": (
        "OPT",
        {
            **COMMON,
            "hidden_size": 32,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "ffn_dim": 40,
            "max_position_embeddings": 24,
            "word_embed_proj_dim": 32,
            "init_std": INITIAL,
        },
    ),
    "bloom": ("Bloom", BLOOM),
    "falcon": ("Falcon", FALCON),
    "falcon_alibi": ("Falcon", {**FALCON, "alibi": True, "new_decoder_architecture": False}),
    "gpt_oss": (
        "GptOss",
        {**LLAMA, "sliding_window": WINDOW, "num_local_experts": 2, "num_experts_per_tok": 1},
    ),
    "t5": ("T5", T5),
    "mt5": ("MT5", T5),
    "bart": ("Bart", BART),
    "marian": ("Marian", {**BART, "scale_embedding": True}),
    "whisper": (
        "Whisper",
        {
            **{name: value for name, value in BART.items() if name != "max_position_embeddings"},
            "num_mel_bins": 8,
            "max_source_positions": 13,
            "max_target_positions": 24,
        },
    ),
    "vit": ("ViT", {**VISION, "image_size": (24, 18)}),
    "dinov2": ("Dinov2", VISION),
    "dinov2_registers": ("Dinov2WithRegisters", {**VISION, "num_register_tokens": 2}),
    "clip": (
        "CLIP",
        {
            "text_config": {**BERT, **CLIP, "bos_token_id": 1, "eos_token_id": 2},
            "vision_config": {**VISION, **CLIP, "num_hidden_layers": 2},
            "projection_dim": 8,
        },
    ),
}
# The others have no second backend or, as Falcon, no way to change it.
EAGER_ONLY = ("gemma2", "gpt_oss", "bloom", "gptj", "deberta_v2")
TARGETS = ("t5", "mt5", "bart", "marian", "whisper")
IMAGES = ("vit", "dinov2", "dinov2_registers", "clip")
