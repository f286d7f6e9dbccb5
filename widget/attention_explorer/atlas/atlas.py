"""HeadAtlas: what every head of a model does over a corpus."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..export.needed import need
from .numbers import AtlasNumbers
from .search import Found, Pattern, alike, search

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..explorer import AttentionExplorer
    from .explorer import AtlasExplorer


class HeadAtlas(AtlasNumbers):
    """Scores of every head over a corpus, and texts in which each does what it does.

    `profile_heads` makes one, `HeadAtlas.load` reads one.

    Attributes
    ----------
    scores : tuple of str
        What is measured: those of `analysis.head_scores`; ``"previous beside sinks"`` and the like,
        a pattern's share of what a head reads beside the first and added tokens; and what it reads
        of each type of token: ``"to first"``, ``"to special"`` (others that the tokenizer added),
        ``"to punctuation"``, ``"to piece"`` (those that go on with a word) and ``"to word"`` (all
        others, which begin one). A row's weights on these five sum to 1.
    """

    def __repr__(self) -> str:
        anatomy = self._contents.anatomy
        partly = "" if self.is_complete else ", stopped before the end"
        return (
            f"<HeadAtlas of {self.model_name}: {anatomy.n_layers} x {anatomy.n_heads} heads over "
            f"{self.n_texts:,} texts, {self.n_tokens:,} tokens{partly}>"
        )

    def plot(
        self,
        x: str = "distance",
        y: str = "entropy",
        *,
        method: Literal["mds", "umap"] | None = None,
        ax: Axes | None = None,
    ) -> Figure | Axes:
        """Draw heads as points, coloured by what they are named for: beside a sink, if for more.

        Parameters
        ----------
        x, y : str
            Two scores.
        method : {"mds", "umap"}, optional
            Heads that read alike beside each other instead; see `positions`.
        ax : Axes, optional
            Where to draw; by default a figure of its own is returned.

        Raises
        ------
        ValueError
            A score that there isn't.
        ModuleNotFoundError
            matplotlib isn't installed.
        """
        need("matplotlib", "plot")
        from .plotting import draw

        return draw(self, (x, y) if method is None else method, ax)

    def search(
        self,
        layer: int,
        head: int,
        pattern: Pattern,
        *,
        decile: int | None = None,
        top: int = 10,
        model: Any = None,
        tokenizer: Any = None,
        texts: Iterable[Any] | str | os.PathLike[str] | None = None,
        least: float = 0.1,
    ) -> Sequence[Found]:
        """Return texts in which a head does something, where it does it most.

        Parameters
        ----------
        layer, head : int
            Which head, both counted from 0.
        pattern : str or (str, str)
            A score or a label, looked up among the exemplars; or which token reads which, ``("it",
            "cat")``, as words are shown, whatever their case, ``"*"`` for any. For that the model
            runs again.
        decile : int, optional
            Of a score: 0 for the texts with the lowest to 9 for the highest tenth; by default the
            highest come first.
        top : int
            How many at most. Texts of a corpus that is given are read until so many are found.
        model, tokenizer
            For tokens: what the atlas is of.
        texts : iterable or path, optional
            For tokens: where to look, as `profile_heads` takes them; by default the exemplars.
        least : float
            For tokens: the least weight. Of a word of several tokens it is the mean of what its
            tokens read, and the sum of what is read of them.

        Returns
        -------
        list of Found
            Text, tokens, the query and the key, the weight between them, and the score.

        Raises
        ------
        ValueError
            A head, a pattern or a decile that isn't there; tokens without the model, or with
            another one.
        """
        options = {"decile": decile, "top": top, "model": model, "tokenizer": tokenizer}
        return search(self._contents, layer, head, pattern, texts=texts, least=least, **options)

    def like(
        self,
        explorer: AttentionExplorer,
        top: int = 10,
        *,
        model: Any = None,
        tokenizer: Any = None,
        least: float = 0.1,
    ) -> Sequence[Found]:
        """Return where else a head does what it does at the token that is looked at.

        It is the first of the explorer's heads, and the pair of tokens that is selected; where
        only the query is, the key that it reads most. With the model, the exemplars are read again
        for what the same word reads most in them. Without, there are the pairs that are kept of
        them, the strongest of each text and pattern: first those between the same two tokens, then
        those from the same token, then those at the same distance; pairs with a sink are left out
        unless a sink is read.

        Parameters
        ----------
        explorer : AttentionExplorer
            With a token selected, of the atlas's model.
        top : int
            How many at most.
        model, tokenizer
            What the atlas is of.
        least : float
            The least weight.

        Raises
        ------
        ValueError
            Nothing is selected; a head that the atlas doesn't have; another model.
        """
        return alike(self._contents, explorer, top, model, tokenizer, least)

    def explore(self, model: Any = None, tokenizer: Any = None, **options: Any) -> AtlasExplorer:
        """Look through the heads in the notebook: as points or a grid, with their exemplars.

        Parameters
        ----------
        model, tokenizer : optional
            Those that the atlas is of, or their name: an exemplar then opens in an explorer below.
        **options
            Traits of `atlas.state.AtlasState`, e.g. ``x="previous"``, ``head=(5, 11)``.

        Raises
        ------
        ValueError
            Another model than the atlas is of.
        TypeError, TraitError
            An option that there isn't, or one out of its range.
        """
        from .explorer import AtlasExplorer

        return AtlasExplorer(self, model, tokenizer, **options)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show what `explore` without a model shows."""
        return self.explore()._repr_mimebundle_(**options)

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        max_mb: float = 10.0,
    ) -> str | None:
        """Write the atlas as one HTML file that opens by a double click, without a network.

        Heads, filters and maps work in it, and exemplars as far as there is room: first those of
        the score that is chosen, then those of what each head is named for. What isn't in it is
        said on screen. Texts can't be opened there.

        Parameters
        ----------
        path : str or path-like, optional
            The file to write, UTF-8; an older one is replaced.
        title : str, optional
            Of the page.
        max_mb : float
            The most that the file may have, in megabytes of 1,000,000 bytes.

        Returns
        -------
        str or None
            The HTML where there is no `path`.

        Raises
        ------
        ValueError
            `max_mb` too small for the least, which the message names.
        FileNotFoundError, IsADirectoryError
            The path's folder isn't there, or it is itself one.
        """
        from .html import UnseenAtlas, to_html

        return to_html(UnseenAtlas(self), path, title=title, max_mb=max_mb)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the atlas to a folder of Parquet files, which any reader of Parquet opens.

        ``heads.parquet`` has a row a head and score, ``distances.parquet`` a row two heads,
        ``exemplars.parquet`` a row a text; what they are of is in the schemas' metadata. A folder
        of an atlas that is there is replaced.

        Raises
        ------
        ModuleNotFoundError
            pyarrow isn't installed.
        FileExistsError
            Something else is there.
        """
        from .storing import save

        save(self._contents, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> HeadAtlas:
        """Read an atlas that was saved.

        Raises
        ------
        ValueError
            It is none, not whole, or of another version.
        ModuleNotFoundError
            pyarrow isn't installed.
        """
        from .storing import load

        return cls(load(path))
