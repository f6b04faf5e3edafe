"""A tiny random Llama with a tokenizer of its own: real code paths, no download."""

from pathlib import Path

MARKERS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tiny_model(folder: Path, seed: int = 0, *, tied: bool = True) -> Path:
    """Write config, safetensors and a byte-level tokenizer with ChatML's markers.

    Tied, it repeats the last token of its prompt for ever; untied, with larger weights, what
    it says depends on the whole prompt.
    """
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {c: i for i, c in enumerate(alphabet)}
    backend = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(m, special=True) for m in MARKERS])
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=backend.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=tied,
        initializer_range=0.02 if tied else 0.3,
        bos_token_id=None,
        eos_token_id=backend.token_to_id("<|im_end|>"),
        pad_token_id=backend.token_to_id("<|endoftext|>"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    ).save_pretrained(folder)
    return folder
