/** What an anywidget's module exports; what is given to what it makes is the host's. */
export type Module = () => {
	initialize(host: object): unknown;
	render(host: object & { readonly el: HTMLElement }): unknown;
};
