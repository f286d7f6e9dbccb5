import { TAKEN_DENSITY } from "../draw/noted";
import type { Format } from "./taking";

/** A drawing as a file. */
export function fileOf(drawing: SVGElement, format: Format): Blob | Promise<Blob> {
	const text = new XMLSerializer().serializeToString(drawing);
	return format === "SVG" ? new Blob([text], { type: "image/svg+xml" }) : pngOf(text);
}

async function pngOf(svg: string): Promise<Blob> {
	const image = new Image();
	image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
	await image.decode();
	const size = [image.width * TAKEN_DENSITY, image.height * TAKEN_DENSITY] as const;
	const canvas = new OffscreenCanvas(...size);
	canvas.getContext("2d")?.drawImage(image, 0, 0, ...size);
	return canvas.convertToBlob();
}
