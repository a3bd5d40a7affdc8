import { useLayoutEffect, useRef } from "react";
import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";

const VERTEX = `#version 300 es
in vec2 at;
out vec2 uv;
void main() { uv = at; gl_Position = vec4(at, 0.0, 1.0); }`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
uniform float time;
out vec4 color;
void main() {
  float wave = sin(uv.x * 6.0 + time) * 0.25 + sin(uv.y * 9.0 - time * 1.3) * 0.25;
  color = vec4(mix(vec3(0.06, 0.08, 0.16), vec3(0.95, 0.45, 0.2), 0.5 + wave), 1.0);
}`;

/** The program that draws into a canvas, and where its time is set. */
function prepare(gl: WebGL2RenderingContext) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error("no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
  const at = gl.getAttribLocation(program, "at");
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, 2, gl.FLOAT, false, 0, 0);
  return gl.getUniformLocation(program, "time");
}

/** A canvas that a shader draws, below words: what cannot come as pixels. */
export default function WebGl() {
  const frame = useCurrentFrame();
  const { width, height, fps } = useVideoConfig();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<{ gl: WebGL2RenderingContext; time: WebGLUniformLocation | null } | null>(null);
  useLayoutEffect(() => {
    const gl = canvas.current?.getContext("webgl2", { preserveDrawingBuffer: true, antialias: false });
    if (!gl) throw new Error("this browser has no WebGL");
    drawn.current ??= { gl, time: prepare(gl) };
    gl.uniform1f(drawn.current.time, frame / fps);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }, [frame, fps]);
  return (
    <AbsoluteFill style={{ color: "#f4f6ff", fontFamily: "sans-serif" }}>
      <canvas ref={canvas} width={width / 2} height={height / 2} style={{ position: "absolute", inset: 0, width, height }} />
      <AbsoluteFill style={{ alignItems: "center", justifyContent: "center", fontSize: 120, fontWeight: 700, transform: `rotate(${Math.sin(frame / fps) * 6}deg)` }}>Drawn by a shader</AbsoluteFill>
    </AbsoluteFill>
  );
}
