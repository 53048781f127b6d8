/**
 * The shapes that travel between the modules of the client library. Types only: this file has no code.
 *
 * Names in `snake_case` are what the server sends; names in `camelCase` are the library's own.
 */

/**
 * Which conference to enter and as whom; exactly one kind of credential.
 * @typedef {object} Credential
 * @property {string} [token] room, endpoint, session or access token
 * @property {string} [accessKey] access key of a registered participant
 * @property {string} [guest] guest token of a meeting: an access key is made of it on joining
 * @property {string} [permalink] a host's token of a permalink: likewise
 * @property {string} [room] alias of a space's room, alone (public) or beside `token`
 * @property {string} [id] the participant id to take, where the credential leaves that open
 */

/**
 * @typedef {object} ConferenceOptions
 * @property {string} [url] base address of the server; default: where the page came from
 * @property {Credential | string} credential a bare string is a token
 * @property {string} [name] shown to others
 * @property {string} [key] secret that all participants have: what goes by the server is encrypted with it, end to end
 * @property {boolean} [resume] remember the endpoint in this tab, so that a reload comes back as the same participant
 * @property {"streams" | "one_view" | "auto"} [view]
 * @property {(address: string, protocol: string) => WebSocket} [connect] opens the socket; default: a new `WebSocket`
 */

/** @typedef {"idle" | "joining" | "joined" | "reconnecting" | "left" | "error"} State */
/** @typedef {"MESH" | "SFU"} Mode */
/** @typedef {"publish" | "subscribe"} Side */
/** @typedef {"direct" | "server"} Way from whoever publishes it, or forwarded */
/**
 * What happens to a stream that moves from a direct connection to the server: the server has offered it; its first picture has been
 * rendered and its sound has come; it is what is shown.
 * @typedef {"offered" | "rendered" | "moved"} MoveStep
 */

/**
 * @typedef {object} Participant
 * @property {string} id
 * @property {string} name
 * @property {string} [role] `subscriber`, `publisher` or `moderator`
 * @property {boolean} [guest]
 * @property {string | null} [avatar]
 * @property {boolean} [raised] hand raised
 * @property {Record<string, unknown>} [attributes]
 */

/** @typedef {{ audio: boolean, video: boolean }} Muted */

/** @typedef {{ width: number, height: number, fps: number, paused: boolean, reason: string }} LayerState */

/**
 * A stream somebody else publishes, as this participant receives it.
 * @typedef {object} RemoteStream
 * @property {string} id
 * @property {string} userId
 * @property {string} label `camera`, `screen`, `playback` or `one_view`
 * @property {MediaStream} mediaStream the same object for as long as the stream lives; its tracks may change
 * @property {LayerState | null} layers what the server sends of it now
 * @property {Way} way it comes by, as shown
 */

/**
 * One entry of `streams` in an offer or answer: which sections carry which stream.
 * @typedef {object} StreamEntry
 * @property {string} stream_id
 * @property {string} label
 * @property {string} [user_id]
 * @property {string | null} audio_mid
 * @property {string | null} video_mid
 * @property {string} [replace] the stream this one takes over
 */

/**
 * @typedef {object} Wish what to receive of a stream; left out means "best"
 * @property {boolean} [audio]
 * @property {boolean} [video]
 * @property {number} [maxWidth] pixels
 * @property {number} [maxHeight] pixels
 * @property {number} [maxFps]
 * @property {number} [priority] 1 to 255
 */

/**
 * @typedef {object} PublishOptions
 * @property {"camera" | "screen"} [label] default `camera`
 * @property {boolean} [simulcast] default true for cameras, false for screens
 * @property {"vp8" | "vp9" | "h264" | "av1"} [codec] default `vp8`
 * @property {number} [maxBitrate] bit/s of the best layer
 */

/** @typedef {{ type: string, request_id?: string, [field: string]: any }} Message */

/**
 * @typedef {object} Endpoint this participant's own credential for coming back
 * @property {string} id
 * @property {string} token
 * @property {number} expires_at unix milliseconds
 */

/**
 * @typedef {object} Joined the server's answer to `join`
 * @property {Participant} participant
 * @property {Mode} mode
 * @property {Participant[]} participants
 * @property {{ stream_id: string, user_id: string, label: string, audio?: boolean, video?: boolean, muted?: Muted | boolean }[]} streams
 * @property {RTCIceServer[]} [ice_servers]
 * @property {Record<string, unknown>} [options]
 * @property {Endpoint} [endpoint]
 * @property {boolean} [e2ee]
 * @property {number | null} [max_bitrate] bit/s
 * @property {Recording} [recording] the one that runs
 */

/**
 * @typedef {object} JoinResult
 * @property {Participant} participant
 * @property {Mode} mode
 * @property {Participant[]} participants
 * @property {RemoteStream[]} streams
 */

/**
 * @typedef {object} TrackStats one track, or one simulcast layer of it, over the last interval
 * @property {"audio" | "video"} kind
 * @property {string | null} rid simulcast layer of a sent track
 * @property {string | null} codec
 * @property {number} bitrate bit/s
 * @property {number} packetRate packets/s
 * @property {number} width
 * @property {number} height
 * @property {number} fps
 * @property {number} loss 0 to 1
 * @property {number} jitter seconds
 * @property {number | null} roundTrip seconds
 * @property {number} packetsLost since the start
 * @property {number} frames decoded or encoded since the start
 * @property {number} keyFrames since the start
 * @property {number} freezes since the start
 * @property {number} nacks since the start
 * @property {number} plis since the start
 * @property {string | null} limitation why the encoder sends less than it could (`cpu`, `bandwidth`)
 */

/**
 * @typedef {object} StreamStats
 * @property {string} streamId
 * @property {string} userId
 * @property {string} label
 * @property {"send" | "receive"} direction
 * @property {Way} way it takes
 * @property {number} bitrate bit/s, sound and picture together
 * @property {number} width
 * @property {number} height
 * @property {number} fps
 * @property {number} loss 0 to 1, the worse of sound and picture
 * @property {number} jitter seconds, the worse of both
 * @property {number | null} roundTrip seconds
 * @property {string | null} layer the layer being sent or received: a rid, or `320x180`
 * @property {TrackStats | null} audio
 * @property {TrackStats | null} video for a simulcast stream: its best active layer
 * @property {TrackStats[]} layers all simulcast layers of a sent picture
 */

/**
 * @typedef {object} ConnectionStats
 * @property {Side | "direct"} pc
 * @property {string | null} userId of the participant at the other end of a direct one
 * @property {RTCPeerConnectionState} state
 * @property {number | null} roundTrip seconds
 * @property {number | null} availableOutgoing bit/s
 * @property {number} bitrateIn bit/s
 * @property {number} bitrateOut bit/s
 * @property {string | null} protocol `udp` or `tcp`
 * @property {string | null} local address and candidate type
 * @property {string | null} remote
 * @property {string | null} dtls version and cipher
 */

/**
 * @typedef {object} Recording
 * @property {string} id
 * @property {number} created_at unix seconds
 * @property {number | null} duration seconds; null while it runs
 * @property {{ self: string, download: string | null }} links the download comes when the file is finished
 * @property {{ id: string, name: string }} [user] who began it
 * @property {{ id: string, name: string }} [room]
 * @property {boolean} [failed]
 */

/**
 * @typedef {object} Snapshot a picture of the composite
 * @property {string} id
 * @property {string} created_at ISO
 * @property {{ download: string }} links
 * @property {{ name: string }} creator
 */

/**
 * @typedef {object} MeetingFile
 * @property {string} id
 * @property {string} name
 * @property {string} type media type
 * @property {boolean} converted
 * @property {number} conversion_progress 0 to 1
 * @property {boolean} failed
 * @property {{ slides: string[], thumbnails: string[], download: string }} links in page order, once it is converted
 */

/** @typedef {{ slide: string | null, user: { id: string, name: string } }} Presentation a slide; null: the user's screen */
/** @typedef {{ id: string, url: string, types: string[], last_request_sent_at: string | null, last_response_code: string | null }} Webhook */

/**
 * @typedef {object} Delivery one event that a webhook is told of
 * @property {string} id
 * @property {string} type
 * @property {"pending" | "done" | "failed"} state
 * @property {string} created_at ISO
 * @property {number} attempts
 * @property {string | null} next_attempt_at
 * @property {string | null} last_response_code
 * @property {string | null} error why nobody answered
 */

/**
 * @typedef {object} Permalink
 * @property {{ id: string, created_at: string, expires_at: string | null }} permalink
 * @property {{ name: string, started_at: string | null }} room
 * @property {{ self: string, gui?: string, guest_join?: string }} links
 */

/** @typedef {{ userId: string, level: number }} Speaker */

/**
 * Events of a `Conference` and what their `detail` holds. Every other server event arrives under its own name,
 * with the server's message as `detail`.
 * @typedef {object} ConferenceEvents
 * @property {{ state: State, reason: string | null }} state
 * @property {{ stream: RemoteStream }} stream
 * @property {{ stream: RemoteStream }} streamended
 * @property {{ participants: Participant[] }} participants
 * @property {{ streamId: string, muted: Muted }} muted
 * @property {{ mode: Mode, reason: string }} modechange
 * @property {{ safetyNumber: string }} safety of an encrypted conference, whenever its members change
 * @property {{ stream: RemoteStream, step: MoveStep }} move a stream's way from a direct connection to the server
 * @property {{ stream: RemoteStream, layers: LayerState }} layers
 * @property {{ userId: string, score: number, loss: number, rtt: number }} quality
 * @property {{ happening: import("./happening.js").Happening }} happening recording, lock, presentation, files or options are others
 * @property {{ speakers: Speaker[] }} speakers
 * @property {{ from: string | null, payload: unknown }} data
 * @property {{ error: Error }} error
 * @property {Message} message every server message, for logs
 * @property {Message} sent every message to the server, for logs
 */

export {};
