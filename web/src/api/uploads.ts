/** Announce, send, commit: how a file becomes an asset. */

import { api } from "./client";
import { ApiError, networkError } from "./errors";
import type { Asset, Upload } from "./types";

/** What the server takes, for file pickers. */
export const ACCEPTED =
  "image/png,image/jpeg,image/webp,image/gif,image/svg+xml,video/mp4,video/webm,video/quicktime," +
  "audio/mpeg,audio/wav,audio/ogg,audio/mp4,.m4a,.mov,.ttf,.otf,.woff,.woff2";

export interface UploadOptions {
  /** 0 to 1; 1 when the bytes are sent and are being checked. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Uploads a file to a project and gives the asset, ready to use. */
export async function uploadAsset(
  projectId: string,
  file: File,
  options: UploadOptions = {},
): Promise<Asset> {
  const { asset, upload } = await api.assets.announce(
    projectId,
    { filename: file.name, media_type: mediaType(file), size: file.size },
    { signal: options.signal },
  );
  await put(upload, file, options);
  return api.assets.commit(asset.id, options.signal);
}

/** Browsers leave the type of some files empty; the server sniffs the content anyway. */
function mediaType(file: File): string {
  if (file.type) return file.type;
  const extension = file.name.split(".").pop()?.toLowerCase() ?? "";
  return TYPES[extension] ?? "application/octet-stream";
}

const TYPES: Record<string, string> = {
  ttf: "font/ttf",
  otf: "font/otf",
  woff: "font/woff",
  woff2: "font/woff2",
  m4a: "audio/mp4",
  mov: "video/quicktime",
  svg: "image/svg+xml",
};

/** `fetch` cannot tell how much of a body was sent; XMLHttpRequest can. */
function put(upload: Upload, file: File, options: UploadOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) {
      // The browser sets these itself and refuses others.
      if (!/^(host|content-length)$/i.test(name)) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0)
        options.onProgress?.(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        options.onProgress?.(1);
        resolve();
      } else {
        reject(
          new ApiError({
            code: request.status === 413 ? "too_large" : "unavailable",
            status: request.status,
            message: `${file.name} could not be stored (status ${request.status}). Try again.`,
          }),
        );
      }
    };
    request.onerror = () => reject(networkError());
    request.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    request.onloadend = () => options.signal?.removeEventListener("abort", abort);
    options.signal?.addEventListener("abort", abort);
    if (options.signal?.aborted) abort();
    else request.send(file);
  });
}
