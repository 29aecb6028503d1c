"""What is read before all else that is said of a mail: greylisting, what is counted, whose the full mailbox is.

Law: what is sent is counted for the mailbox, what is received for the recipient; a mailbox is the doctor's own where
the text says so, or where no recipient was named yet.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})
_SENT = _AFTER | {Stage.MAIL}
_LOGGED_IN = _SENT | {Stage.AUTH}

_LIMIT = (
    "limit|limits|quota|quotas|allowance|cap|threshold|maximum|max|number|limite|limiti|quote|soglia|massimo|massima|"
    "numero|tetto|nombre|plafond|cuota|cupo|kontingent"
)
_OF = "of|on|for|di|degli|delle|dell|d|de|per"
_OUT = (
    "sending|sends|sent|outbound|outgoing|submission|submissions|invio|invii|spedizione|spedizioni|inviati|inviate|"
    "inviabili|spediti|spedite|uscita|envoi|envois|envoyes|sortants|envio|envios|enviados|salientes"
)
_MAILS = "message|messages|mail|mails|email|emails|messaggi|posta|courriels|correos|mensajes|nachrichten"
_PERIOD = "day|hour|minute|giorno|ora|minuto|jour|heure|dia|hora|tag|stunde"
COUNTED: tuple[str, ...] = (
    f"{_LIMIT} ~ {_OF} {_OUT}",
    f"{_LIMIT} {_OF}? {_MAILS} ~ {_OUT}",
    f"{_LIMIT} massim*|giornalier*|orari*|mensil*? invii|spedizioni|inviati|inviate",
    "limite|soglia|massimo|numero massim*|giornalier*|orari*|mensil*? invio|spedizione",
    "quota giornalier*|orari*? invio superat*|raggiunt*|esaurit*|giornalier*|orari*",
    f"sending|send|outbound|outgoing|submission {_MAILS}|rate? limit|limits|quota|quotas|allowance|cap|threshold",
    f"invii|spedizioni ~ {_LIMIT}|superat*|raggiunt*|esaurit*|oltre",
    "superat*|raggiunt*|oltrepassat*|esaurit* ~ invii|spedizioni",
    f"{_MAILS} inviati|inviate|spediti|spedite ~ {_LIMIT}|superat*|oltre",
    "sent ~ too many|much",
    f"sent ~ maximum ~ {_MAILS}",
    f"sent more ~ {_MAILS}|than",
    f"may|can|only|up send|sent ~ {_MAILS} per|an|a|each|every {_PERIOD}",
    "inviato|inviati|inviate|spedito troppi|troppe",
    "you have|ve? already? sent ~ messages|mails|emails ~ hour|day|minutes|hours|today",
    "hai|avete gia? inviato|spedito ~ messaggi|mail|email ~ ora|giorno|minuti|ore|oggi",
    f"inviato|spedito piu di|{_MAILS}",
    "troppi|troppe ~ invii|inviati|inviate|spedizioni|spediti|spedite",
    f"{_LIMIT} ~ {_MAILS} per|al|all|a|each|every|ogni|par|por|pro {_PERIOD}",
    "sendelimit*|sendekontingent*|sendequota*|versandlimit*|versandkontingent*|versandquota*",
    "envoye|enviado trop|demasiados",
)
"""What is sent is counted: whatever the text calls full or over its quota, it is not the room of a mailbox."""

_NOT_COUNTED = phrases(
    "receiv*|ricev*|ricezione|incoming|inbound|arrivo|entrata", "recipient|destinatario|destination|addressee",
    "size|dimension*|storage|spazio|disk|space", "prohibit send", f"{_OUT} items|folder", "tentativi|attempts|password",
    "send|sent|sending|invio|invii|inviat*|spedit*|inviare to|a|al|alla|verso this|questa|questo|that|the? someone|"
    "user|mailbox|account|address|casella|utente|indirizzo",
    "account|mailbox|user|casella|utenza|utente|sender|mittente ~ suspended|blocked|disabled|locked|sospes*|bloccat*|"
    "disabilitat*",
)  # fmt: skip
"""What a recipient gets too much of, how large it is, and what stopped the mailbox, are other reasons."""

FULL_WORDS = "full|overquota|piena|pieno|saturo|satura|esaurit*|overfull|voll|plein|pleine|llena|lleno|overflow"
ROOM = (
    "mailbox|inbox|casella|quota|storage|disk|maildir|account|folder|mailfolder|space|spazio|box|boite|buzon|postfach"
)

SPECIAL: tuple[Rule, ...] = (
    Rule(
        ReplyClass.GREYLISTED,
        stages=_SENT | {Stage.CONNECT, Stage.EHLO},
        text=phrases(
            "greylist*|graylist*|postgrey|sqlgrey",
            "grey|gray listed|listing|list|listen",
            "lista|liste grigia|grigie|grise|gris",
            "greylisting|graylisting",
            "triplet|triplets|triple|tripletta",
            "first time|seen|attempt|contact ~ sender|recipient|delay|delayed|defer*|retry|try|wait",
            "unknown|new|unfamiliar|unseen sender|host|client|ip ~ later|retry|delay*|defer*|minutes|again",
            "deferred|delayed ~ first|new|unknown ~ sender|host|client",
        ),
    ),
    Rule(
        ReplyClass.GREYLISTED,
        stages=_SENT,
        codes=frozenset("4"),
        text=phrases("first|primo|prima|erste time|contact|attempt|contatto|tentativo|volta|delivery|consegna",
                     "mai|never vist*|seen"),
        also=phrases("come|back|tornare ~ in|tra|fra", "ripet*|ripresent*|ritorn* tra|fra|dopo|in",
                     "again|later|retry|delay*|defer*|wait|riprov*|ritent*|attend*|tardi"),
        unless=phrases("login|accesso|authentication"),
    ),
    Rule(ReplyClass.RATE_LIMITED, stages=_LOGGED_IN, is_by_period=True, text=phrases(*COUNTED), unless=_NOT_COUNTED),
    Rule(
        ReplyClass.RECIPIENT_REFUSED,
        stages=_AFTER,
        text=phrases(
            "receiving ~ mail|messages|email|emails ~ too|rate|quickly|fast|volume",
            "receiving|receive|inbound|incoming ~ limit|rate|quota|threshold|volume|too",
            "recipient|user|destination|mailbox|addressee|destinatario|customer ~ too many|much ~ messages|mail|mails|"
            "email|emails",
            "recipient|recipients|destination|destinatario s? queue|coda ~ full|pien*|busy",
            "recipient|recipients|destination|destinatario ~ rate|limit ~ exceed*|reached|superat*",
            "recipient|destination|destinatario ~ exceed*|over|superat* ~ limit|rate|limite",
            "too many|much ~ messages|mail|email|emails ~ to|for this|the|that|same|one recipient|user|mailbox|"
            "address|destination",
            "too many ~ connections|sessions to|with ~ recipient|destination|remote",
            "troppi|troppe messaggi|email|mail ~ ricevuti|ricevute|destinatario",
            "ricevendo|ricevuto|ricevere|riceve troppi|troppe|troppo|troppa",
            "has|have|had|is|was|been received|receiving|getting|receives too|so|very many|much",
            "too many|much ~ messages|mail|mails|email|emails received|arriving ~ for|to|by|recently|lately|hour",
            "organization|organisation|tenant|destination ~ queue|thread ~ quota|limit|full|exceed*",
            "mailbox|casella|destinatario is? busy|occupata|occupato",
            "queue|thread quota|limit ~ exceed*|reached",
        ),
        unless=phrases("mailbox|inbox|storage ~ full", "storage|space|disk|spazio", "number|many recipients",
        "recipients per",
            "your|daily sending", "daily|hourly|per ~ recipient|recipients",
            "you have? exceed*|reached|sent", "from you|your|this|someone|sender", "we have"),
    ),
    Rule(
        ReplyClass.SENDER_MAILBOX_FULL,
        stages=_LOGGED_IN,
        text=phrases(
            "sendquotaexceeded*|prohibitsendquota*|shutoffquotaexceeded|quotaexceededexception|"
            "senderquotaexceeded|mapiexceptionshutoffquotaexceeded",
            f"your|sender|senders|mittente|tua|sua|vostra|own ~ {ROOM} ~ {FULL_WORDS}|exceed*|over|space|insufficient|"
            f"superat*",
            "your|sender|senders|mittente ~ over|exceed* ~ quota|storage|space",
            f"your|sender|senders {ROOM} ~ {FULL_WORDS}",
            f"{ROOM} ~ sender|mittente|your ~ {FULL_WORDS}",
            "sent folder|items|mail ~ full|piena|space",
            "save|store|copy ~ your? sent folder|items|mail|quota",
            "copia ~ posta|cartella inviata|inviati",
            "posta inviata ~ full|piena|spazio",
            "free|empty|clean ~ your mailbox|space|inbox|account",
            "libera*|svuota* ~ spazio|casella|posta|cestino",
        ),
        unless=phrases("recipient|recipients|destinatario|deliver",
            "send|sending|daily|message|messages|hourly|mail limit|limits|quota", *COUNTED),
    ),
    Rule(
        ReplyClass.SENDER_MAILBOX_FULL,
        stages=frozenset({Stage.AUTH, Stage.MAIL}),
        text=phrases(
            f"{ROOM} ~ {FULL_WORDS}",
            "mailbox|inbox|casella|storage|disk|account ~ over|exceed* ~ quota|storage|space|size",
            "over storage|disk|mailbox? quota",
            "mailbox|storage|disk quota ~ exceed*|reached|full|superat*",
            "quota ~ casella|mailbox|storage|spazio ~ superat*|exceed*|esaurit*",
            "out of storage",
            "storage allocation",
            "spazio ~ esaurito|insufficiente|disponibile",
        ),
        unless=phrases("recipient|recipients|destinatario", "send|sending|daily|message|messages|hourly|rate",
            "giornalier*|orari*|invio|invii|messaggi|spedizione", "system", *COUNTED),
    ),
)  # fmt: skip
