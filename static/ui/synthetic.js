/**
 * A camera and microphone that need no device: a moving test picture with a clock, and beeps.
 */

const BEEP_EVERY = 1; // seconds
const BEEP_FOR = 0.12;
const TONE = 660; // Hz

/**
 * @param {{ width: number, height: number, fps: number }} size
 * @returns {{ stream: MediaStream, stop: () => void }}
 */
export function syntheticMedia({ width, height, fps }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let frame = 0;
  const timer = setInterval(() => paint(context, width, height, ++frame), 1000 / fps);
  paint(context, width, height, frame);
  const audio = new AudioContext();
  const out = audio.createMediaStreamDestination();
  const gain = new GainNode(audio, { gain: 0 });
  const tone = new OscillatorNode(audio, { frequency: TONE });
  tone.connect(gain).connect(out);
  tone.start();
  const beeps = setInterval(() => beep(gain, audio.currentTime), BEEP_EVERY * 1000);
  const stream = new MediaStream([...canvas.captureStream(fps).getVideoTracks(), ...out.stream.getAudioTracks()]);
  const stop = () => {
    clearInterval(timer);
    clearInterval(beeps);
    for (const track of stream.getTracks()) track.stop();
    audio.close();
  };
  return { stream, stop };
}

/**
 * @param {GainNode} gain
 * @param {number} now
 */
function beep(gain, now) {
  gain.gain.setTargetAtTime(0.4, now, 0.005);
  gain.gain.setTargetAtTime(0, now + BEEP_FOR, 0.01);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {number} frame
 */
function paint(context, width, height, frame) {
  const bars = ["#e8e6df", "#d9c35a", "#58b7a6", "#63a35c", "#b06a9c", "#b8544a", "#4a66a8"];
  bars.forEach((colour, index) => {
    context.fillStyle = colour;
    context.fillRect((index * width) / bars.length, 0, width / bars.length + 1, height * 0.72);
  });
  context.fillStyle = "#1b2422";
  context.fillRect(0, height * 0.72, width, height * 0.28);
  context.fillStyle = "#4fc3a5";
  context.fillRect(((frame * 4) % (width + 80)) - 80, height * 0.72, 80, height * 0.04);
  context.fillStyle = "#f1f4f2";
  context.font = `600 ${Math.round(height * 0.1)}px ui-monospace, monospace`;
  context.textBaseline = "middle";
  context.fillText(`${new Date().toISOString().slice(11, 23)}  #${frame}`, width * 0.04, height * 0.88);
}
