"""What the checker says, in each language: one template a sentence."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]

SENTENCES: dict[Language, dict[str, str]] = {
    "en": {
        "nothing pinned": (
            "Nothing is pinned yet. Choose a layer and a head, then click the cell of “with” "
            "(row) and “saw” or “man” (column) in the matrix."
        ),
        "one token": (
            "“{token}” is pinned by itself. Pin a pair: who reads, “with”, and what is read, "
            "“saw” or “man”. A click on a cell of the matrix does both, or Shift+click on the "
            "second word."
        ),
        "backwards": (
            "You pinned “{query}” reading “{key}”. The question is the other way round: what "
            "does “with” read?"
        ),
        "another token": (
            "You pinned “{query}” reading “{key}”. The question is about “with” and “saw”, or "
            "“with” and “man”."
        ),
        "both readings": (
            "Both readings are pinned. Decide for one: Escape lets all go, a click pins one."
        ),
        "several heads": (
            "{n} heads are chosen. An answer is about one: a double click on its square shows it "
            "alone."
        ),
        "another text": "This is another text: “{text}”. The exercise is about “{wanted}”",
        "no model": (
            "These weights came without a model, so nothing can be cut. Make the explorer of "
            "trace(model, tokenizer, text)."
        ),
        "other numbers": "Shown are {measure}, not weights. Choose weights, then check again.",
        "other units": "Shown are segments. Choose tokens, then check again.",
        "reads the other": "Not what you pinned: {head} reads “{other}” more than “{key}”.",
        "reads both": "Undecided: {head} reads “{key}” and “{other}” about alike.",
        "habit": "A habit: {head} reads “{key}”, but it reads whatever stands at that distance.",
        "hypothesis": (
            "A hypothesis: {head} reads “{key}” more than “{other}”. No evidence yet that the "
            "model attaches “with” there."
        ),
        "weights": (
            "Weight: {weight:.2f} on “{key}”, {other_weight:.2f} on “{other}”. By the difference "
            "it is number {rank} of {n_heads} heads."
        ),
        "distance": (
            "Distance: at other places of the sentence, as far away, the same head reads "
            "{elsewhere:.2f}. Percentile {percentile:.1f} among the {n_cells} weights at that "
            "distance in all heads."
        ),
        "chance": (
            "Chance: p is {p_corrected:.2f}, corrected for {n_heads} heads. In so short a text "
            "it can't be below {p_floor:.2f}, whatever a head does."
        ),
        "cut": (
            "Knock-out: cutting this edge changes the model's output for “with” by {cut:.2g} ("
            "{unit}). {keys_below} of {n_keys} cuts of other keys in this head change it less, "
            "and {heads_below} of {n_other_heads} cuts of the same edge in the layer's other "
            "heads."
        ),
        "stands out": (
            "So the token uses this edge, more than those beside it. It doesn't follow that the "
            "model understands the sentence so."
        ),
        "does not stand out": "So this edge doesn't stand out: others change as much.",
        "whole": (
            "Whole model: cut in every head, “{key}” changes it by {whole:.2g}, “{other}” by "
            "{other_whole:.2g}."
        ),
        "turns": (
            "Turned round: in “{turned}” it reads “{other}” more ({turned_other:.2f}, against "
            "{turned_weight:.2f}). It goes with the meaning in this pair: try more pairs."
        ),
        "does not turn": (
            "Turned round: in “{turned}” “{other}” is meant, and the head reads it with "
            "{turned_other:.2f}, “{key}” with {turned_weight:.2f}. It doesn't go with the "
            "meaning."
        ),
    },
    "zh": {
        "nothing pinned": (
            "还没有固定任何词。先选好层和头，再到矩阵里点一个格子：行是 with，列是 saw 或 man。"
        ),
        "one token": (
            "只固定了“{token}”一个词。要固定的是一对：谁在看（with），看的是谁（saw 或 man）。点"
            "矩阵里的格子，或者按住 Shift 再点第二个词。"
        ),
        "backwards": "你固定的是“{query}”看“{key}”。方向反了，题目问的是：with 在看谁？",
        "another token": "你固定的是“{query}”看“{key}”。题目问的是：with 看的是 saw，还是 man？",
        "both readings": "两种读法都固定了。请只选一种：按 Esc 全部放开，再点其中一个。",
        "several heads": "选中了 {n} 个头。一个答案只能针对一个头：双击它的方块，就只剩它。",
        "another text": "句子不对，现在是“{text}”。练习用的句子是“{wanted}”",
        "no model": (
            "这些权重没有带着模型，没法做切断实验。请用 trace(model, tokenizer, text) 来建探索器。"
        ),
        "other numbers": "现在显示的是 {measure}，不是权重。请换回权重（weights）再检查。",
        "other units": "现在是按段显示的。请换回 token 再检查。",
        "reads the other": "和你固定的相反：{head} 看“{other}”比看“{key}”更多。",
        "reads both": "难分高下：{head} 看“{key}”和看“{other}”差不多。",
        "habit": "这只是习惯：{head} 确实看“{key}”，但那个距离上不管是什么词，它都看。",
        "hypothesis": (
            "这是一个假设：{head} 看“{key}”多于“{other}”。但这还不能证明，模型真的把 with 归给了"
            "它。"
        ),
        "weights": (
            "权重：“{key}”得到 {weight:.2f}，“{other}”得到 {other_weight:.2f}。按两者之差，它在 "
            "{n_heads} 个头里排第 {rank}。"
        ),
        "distance": (
            "距离：在句子的其他位置，隔着同样的距离，这个头给出 {elsewhere:.2f}。所有头里同样距离"
            "的权重有 {n_cells} 个，它的百分位是 {percentile:.1f}。"
        ),
        "chance": (
            "偶然：按 {n_heads} 个头校正后，p 为 {p_corrected:.2f}。句子这么短，不管头怎么看，p "
            "都不可能低于 {p_floor:.2f}。"
        ),
        "cut": (
            "切断：切掉这条边，模型对 with 的输出改变 {cut:.2g}（{unit}）。在这个头里换切别的词，"
            "{n_keys} 次里有 {keys_below} 次改变更小；在同一层的其他头里切同一条边，"
            "{n_other_heads} 次里有 {heads_below} 次更小。"
        ),
        "stands out": (
            "可见 with 确实用到了这条边，而且比旁边的边用得更多。但由此推不出模型就是这样理解句子"
            "的。"
        ),
        "does not stand out": "可见这条边并不突出：切别的边，改变也一样大。",
        "whole": (
            "整个模型：在所有头里都切掉，“{key}”带来的改变是 {whole:.2g}，“{other}”是 "
            "{other_whole:.2g}。"
        ),
        "turns": (
            "换个意思：在“{turned}”里，它看“{other}”更多（{turned_other:.2f}，另一个是 "
            "{turned_weight:.2f}）。这一对句子里它跟着意思走了，再多试几对。"
        ),
        "does not turn": (
            "换个意思：“{turned}”里该看的是“{other}”，这个头只给它 {turned_other:.2f}，给“{key}”"
            "的是 {turned_weight:.2f}。它没有跟着意思走。"
        ),
    },
}

# By the name of the number in `interventions.Change`.
UNITS: dict[Language, dict[str, str]] = {
    "en": {"token_cosine": "cosine distance", "kl": "KL divergence in nats"},
    "zh": {"token_cosine": "余弦距离", "kl": "KL 散度，单位 nat"},
}
