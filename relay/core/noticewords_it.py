"""Che cosa dicono gli avvisi, in italiano: what notices say, in Italian.

Law: as in English: short sentences, no link, no name of a patient; who reads it knows what to do next.
"""

from types import MappingProxyType

from relay.core.circle import Reader
from relay.core.notice import NoticeType
from relay.core.noticewords import Event, NoticeWords, Story, Then, Topic

_STORIES = {
    Topic.PASSWORD: Story(
        "{provider} rifiuta la password della casella. Prima funzionava: probabilmente è stata cambiata.",
        "Acceda alla casella dalla webmail. Se non riesce, imposti lì una nuova password.",
        Then.PASSWORD,
    ),
    Topic.NEVER_WORKED: Story(
        "{provider} rifiuta la password della casella. Così com'è impostata qui, non ha mai funzionato: forse contiene "
        "un errore.",
        "Acceda alla casella dalla webmail con la stessa identica password, per vedere se è giusta. Se lo è, forse è "
        "stata scritta male qui: va dettata di nuovo all'assistenza.",
        Then.PASSWORD,
    ),
    Topic.EXPIRED_BY_PROVIDER: Story(
        "{provider} ha fatto scadere la password, come fa quando partono molti messaggi in poco tempo. Nessuno l'ha "
        "rubata e nessuno ha sbagliato.",
        "Acceda alla casella dalla webmail. Le viene chiesta una nuova password: ne scelga una mai usata prima.",
        Then.PASSWORD,
    ),
    Topic.METHOD: Story(
        "{provider} non accetta più la password normale. Vuole una password per le app oppure un accesso dal browser.",
        "Acceda alla casella dalla webmail e crei una password per le app nelle impostazioni di sicurezza.",
        Then.PASSWORD,
    ),
    Topic.BLOCKED: Story(
        "{provider} ha bloccato la casella.",
        "Acceda alla casella dalla webmail e segua le indicazioni. Se non si sblocca, chiami l'assistenza clienti "
        "di {provider}.",
        Then.FIXED,
    ),
    Topic.SENDER: Story(
        "{provider} non permette a questa casella di inviare come {account}.",
        "Autorizzi {account} come mittente nelle impostazioni della casella.",
        Then.FIXED,
    ),
    Topic.FULL: Story(
        "La casella è piena e {provider} non le lascia inviare nulla.",
        "Svuoti dalla webmail le cartelle Posta inviata e Cestino.",
        Then.FIXED,
    ),
    Topic.POLICY: Story(
        "I server di più destinatari rifiutano i messaggi di questo mittente per una regola (DMARC, SPF e simili): i "
        "record del dominio non corrispondono alla casella.",
        "Faccia controllare i record DNS del dominio a chi lo gestisce.",
        Then.FIXED,
    ),
    Topic.SAME_REFUSAL: Story(
        "{provider} ha rifiutato con le stesse parole messaggi per destinatari diversi: riguarda la casella, non i "
        "destinatari. Perciò i messaggi restano qui invece di tornare indietro.",
        "Acceda alla casella dalla webmail e veda se c'è un avviso di {provider}.",
        Then.FIXED,
    ),
    Topic.QUOTA: Story(
        "Per {provider} la casella ha inviato tutti i messaggi permessi in un giorno.",
        "Non deve fare nulla. Per oggi non avvii altri invii numerosi.",
        Then.WAIT,
    ),
    Topic.SPAM: Story(
        "{provider} ha preso per spam più messaggi di questa casella e li ha rifiutati. Sono tornati al mittente; per "
        "proteggere la casella gli altri aspettano.",
        "Invii per un'altra via ciò che è urgente e, per ora, non avvii invii numerosi.",
        Then.FIXED,
    ),
    Topic.NO_PASSWORD: Story(
        "Per questa casella qui manca una password utilizzabile.",
        "Recuperi la password della casella.",
        Then.PASSWORD,
    ),
    Topic.NO_ACCOUNT: Story(
        "C'è posta in attesa per un mittente che non è più configurato.",
        "Rimetta l'account nella configurazione, o annulli la sua posta.",
        Then.ROUTING,
    ),
    Topic.PAUSED: Story(
        "La casella è stata sospesa a mano e lo è ancora.",
        "Verifichi se il motivo della sospensione c'è ancora.",
        Then.RESUME,
    ),
    Topic.PERMISSION: Story(
        "L'autorizzazione a inviare da questa casella è finita: {provider} vuole che il titolare acceda dal browser.",
        "Acceda alla casella dal browser, segua le richieste di {provider} e autorizzi di nuovo l'invio.",
        Then.CONNECT,
    ),
    Topic.NEVER_CONNECTED: Story(
        "La casella non è ancora collegata: {provider} vuole che il titolare acceda dal browser e autorizzi l'invio.",
        "Acceda alla casella dal browser, segua le richieste di {provider} e autorizzi l'invio.",
        Then.CONNECT,
    ),
    Topic.SHUT_OUT: Story(
        "{provider}, o l'organizzazione a cui appartiene la casella, non lascia accedere il titolare.",
        "Chieda a {provider}, o all'amministratore dell'organizzazione, di abilitare il titolare.",
        Then.CONNECT,
    ),
    Topic.OWN_CLIENT: Story(
        "{provider} non accetta l'identità (client OAuth2) con cui questo servizio accede.",
        "Corregga `oauth:` del gestore nella configurazione; un client secret scade e si rinnova presso il gestore.",
        Then.ROUTING,
    ),
    Topic.OWN_SECRET: Story(
        "Manca il segreto (`client_secret`) con cui questo servizio si presenta a {provider}: nessuno lo ha rifiutato.",
        "Imposti ciò che `client_secret:` del gestore indica nella configurazione: `relay secret set`.",
        Then.ROUTING,
    ),
    Topic.INSECURE: Story(
        "Manca una connessione sicura con {provider} ({reason}): senza non si invia nulla.",
        "Controlli host, porta, `tls` e `tls_ca` del gestore, e il suo certificato.",
        Then.LOOK,
    ),
    Topic.ADDRESS: Story(
        "{provider} rifiuta tutte le connessioni dall'indirizzo di questo relay.",
        "Chieda il motivo a {provider} e faccia togliere l'indirizzo dalla lista.",
        Then.LOOK,
    ),
    Topic.UNREACHABLE: Story(
        "{provider} non è raggiungibile o interrompe la connessione ({reason}).",
        "Verifichi se anche altri hanno lo stesso problema e se questa macchina raggiunge il gestore.",
        Then.LOOK,
    ),
    Topic.SLOWED: Story(
        "Per {provider} questa casella invia troppo in una volta ({reason}).",
        "Verifichi chi altro invia da questa casella. Se dura, ne abbassi i limiti.",
        Then.LOOK,
    ),
    Topic.OTHER: Story(
        "{provider} risponde in un modo che richiede l'intervento di una persona ({reason}).",
        "Veda `relay explain {account}` e `relay replies`.",
        Then.LOOK,
    ),
}

_THEN = {
    (Then.PASSWORD, Reader.DOCTOR): "Comunichi la nuova password all'assistenza: la posta riparte in pochi secondi.",
    (Then.PASSWORD, Reader.VENDOR): "La inserisca: relay account set-password {account}. Viene provata subito.",
    (Then.PASSWORD, Reader.OPS): "La inserisca: relay account set-password {account}. Viene provata subito.",
    (Then.FIXED, Reader.DOCTOR): "Avvisi l'assistenza: la posta riparte subito; altrimenti si riprova ogni giorno.",
    (Then.FIXED, Reader.VENDOR): "Poi confermi: relay account fixed {account}. Altrimenti si riprova ogni giorno.",
    (Then.FIXED, Reader.OPS): "Poi confermi: relay account fixed {account}. Altrimenti si riprova ogni giorno.",
    (Then.CONNECT, Reader.DOCTOR): "Chiami l'assistenza, che ricollega la casella insieme a Lei.",
    (Then.CONNECT, Reader.VENDOR): "Poi la ricolleghi: relay account set-password --oauth {account}.",
    (Then.CONNECT, Reader.OPS): "Poi la ricolleghi: relay account set-password --oauth {account}.",
    (Then.ROUTING, Reader.DOCTOR): "Deve intervenire l'assistenza: la chiami.",
    (Then.ROUTING, Reader.VENDOR): "Appena la configurazione è salvata si riprova subito.",
    (Then.ROUTING, Reader.OPS): "Appena la configurazione è salvata si riprova subito.",
    (Then.RESUME, Reader.DOCTOR): "Chiami l'assistenza, che l'ha sospesa.",
    (Then.RESUME, Reader.VENDOR): "Se non c'è più: relay account resume {account}.",
    (Then.RESUME, Reader.OPS): "Se non c'è più: relay account resume {account}.",
    (Then.WAIT, Reader.DOCTOR): "La posta riparte da sola.",
    (Then.WAIT, Reader.VENDOR): "La posta riparte da sola.",
    (Then.WAIT, Reader.OPS): "La posta riparte da sola.",
    (Then.LOOK, Reader.DOCTOR): "Deve intervenire l'assistenza: la chiami se il problema dura.",
    (Then.LOOK, Reader.VENDOR): "Provi: relay account test {account}. Intanto il sistema riprova da solo.",
    (Then.LOOK, Reader.OPS): "Provi: relay account test {account}. Intanto il sistema riprova da solo.",
}

_EVENTS = {
    NoticeType.PAID_UNTIL: Event(
        "Il canone di {account} scade il {day}",
        "La casella {mailbox} è pagata fino al {day}, ancora per {days}. Il relay non ne ferma la posta, ma "
        "{provider} potrebbe farlo.",
        "La rinnovi presso {provider}, poi scriva la nuova data in `paid_until` dell'account.",
    ),
    NoticeType.FOREIGN_TRAFFIC: Event(
        "Qualcun altro invia da {mailbox}",
        "Per {provider} {mailbox} invia troppo in fretta, ma questo relay ha usato meno di metà del limite: un altro "
        "programma invia dalla stessa casella, o qualcuno ne ha la password.",
        "Chieda al titolare che cos'altro invia dalla casella. Se non c'è altro, faccia cambiare la password.",
    ),
    NoticeType.SPAM_BLOCKED: Event(
        "{provider} prende per spam la posta di {account}",
        "{provider} ha rifiutato come spam un messaggio di {mailbox}. È tornato al mittente e non viene ritentato. Se "
        "succede tre volte in un'ora, la casella viene sospesa per proteggerla.",
        "Dica al mittente di usare un'altra via, e chieda il motivo a {provider}.",
    ),
    NoticeType.MANY_TO_ONE: Event(
        "{account} invia molti messaggi agli stessi destinatari",
        "{account} invia ogni giorno molti messaggi agli stessi destinatari ({count}). Ogni messaggio può "
        "essere segnato come spam, e questo danneggia la casella.",
        "Chieda se più documenti per la stessa persona possono stare in un solo messaggio.",
    ),
    NoticeType.SILENT: Event(
        "{account} non invia più",
        "{account} di solito invia, e non invia nulla da {days}.",
        "Chieda se lo studio è chiuso o se il programma ha perso le impostazioni.",
    ),
    NoticeType.SURPRISE: Event(
        "{account} invia molto più del solito",
        "{account} ha consegnato oggi {count} messaggi; negli altri giorni sono circa {usual}.",
        "Chieda se è voluto. Se nello studio nessuno ne sa nulla: relay account pause {account}.",
    ),
    NoticeType.AUTH_OUTAGE: Event(
        "{provider} rifiuta l'accesso a molte caselle",
        "Dal {since} {provider} rifiuta l'accesso a {count} caselle che funzionavano: è un guasto del gestore. Nessuna "
        "casella è stata sospesa per questo e nessun titolare è stato avvisato.",
        "Nulla, se non dura: le caselle riprovano a turno. Segua gli avvisi di {provider} sul suo servizio.",
    ),
    NoticeType.PROVIDER_BLOCKED: Event(
        "{provider} blocca questo relay o il suo contratto",
        "Dal {since} {provider} blocca tutto ciò che parte da qui, o molte caselle con le stesse parole ({count}).",
        "Chiami {provider} e chieda il motivo. Nulla va perso: {mails} in attesa.",
    ),
    NoticeType.PROVIDER_STOPPED: Event(
        "{provider} non è utilizzabile",
        "Dal {since} non si può inviare nulla attraverso {provider} ({reason}). {mails} in attesa.",
        "Veda `relay status` e se questa macchina raggiunge il gestore. Il sistema riprova da solo.",
    ),
    NoticeType.PROVIDER_HEALED: Event(
        "{provider} funziona di nuovo",
        "{provider} funziona di nuovo. La posta in attesa ({mails}) parte nei limiti.",
        "Nulla.",
    ),
    NoticeType.STRANDED: Event(
        "La posta di {count} account non va da nessuna parte",
        "Dal {since} la posta di {count} account non va da nessuna parte ({reason}). È al sicuro qui, ferma.",
        "Verifichi se manca il file delle password o un pezzo della configurazione: `relay check`. Appena torna, la "
        "posta riparte da sola.",
    ),
    NoticeType.FOUND_AGAIN: Event(
        "La posta di molti account parte di nuovo",
        "La posta che dal {since} non andava da nessuna parte riparte. Erano {count} account.",
        "Nulla. Di quelli che restano fermi arriva un avviso per ciascuno.",
    ),
    NoticeType.UNKNOWN_REPLY: Event(
        "Una risposta di {provider} che nessuna regola conosce",
        "{provider} ha dato {times} una risposta che nessuna regola conosce. Finché manca una regola la si "
        "giudica dal codice.",
        "Veda `relay replies`.",
    ),
    NoticeType.UNSENDABLE: Event(
        "Un avviso non è partito",
        "Qualcuno doveva sapere di {account} ({reason}), e non c'è modo di scrivergli.",
        "Controlli che `notices.from` sia un account che funziona e che ci siano `owner.email` e "
        "`notices.postmaster`. Intanto telefoni.",
    ),
}

ITALIAN = NoticeWords(
    day="%d/%m/%Y",
    greeting="Gentile {name},",
    greeting_nameless="Buongiorno,",
    stopped_subject="La posta di {senders} non parte",
    reminder_subject="Promemoria: la posta di {senders} non parte",
    healed_subject="La posta di {senders} parte di nuovo",
    opening="dal {since} la posta di {senders} non parte.",
    still="dal {since} la posta di {senders} non parte, e nulla è cambiato.",
    healed="la posta di {senders} parte di nuovo. Era ferma dal {since}. Non deve fare nulla.",
    why="Motivo: {text}",
    waiting_none="Al momento non ci sono messaggi in attesa.",
    waiting_one="1 messaggio in attesa. È al sicuro: non lo invii di nuovo, arriverebbe due volte.",
    waiting_many="{waiting} messaggi in attesa. Sono al sicuro: non li invii di nuovo, arriverebbero due volte.",
    leaving="La posta in attesa ({mails}) parte da sola, in ordine e nei limiti di {provider}.",
    mails=("nessun messaggio", "1 messaggio", "{many} messaggi"),
    days=("0 giorni", "1 giorno", "{many} giorni"),
    times=("zero volte", "una volta", "{many} volte"),
    kept="Un messaggio è conservato per {days} giorni, poi torna al mittente.",
    next_try="Prossimo tentativo automatico: {next_try}.",
    to_do="Che cosa fare:",
    help="Per aiuto: {contact}",
    daily="Questo avviso si ripete una volta al giorno finché la posta non riparte.",
    others="{account} (+{others})",
    mailbox="Casella: {mailbox} presso {provider}",
    senders="Mittenti: {listed}",
    owner="Titolare: {owner}",
    phone="Telefono: {phone}",
    call="Il titolare non ha altro indirizzo che questa casella: gli telefoni, per favore.",
    ticket="Testo pronto per la segnalazione al gestore:\n\n"
    "Buongiorno, dal {since} i vostri server in uscita rifiutano come spam messaggi della nostra casella {mailbox}.\n"
    "Un messaggio rifiutato: mittente {account}, destinatario nel dominio {domain}, {since}.\n"
    "La casella è di uno studio medico, che invia ai propri pazienti le ricette e i documenti che hanno chiesto, uno "
    "per uno ed entro i vostri limiti. Chiediamo di verificare il blocco, di rimuoverlo e di dirci che cosa in questi "
    "messaggi lo provoca. La risposta completa del vostro server: (copiarla da `relay explain {cited}`).",
    sender_name="Servizio di posta",
    stories=MappingProxyType(_STORIES),
    then=MappingProxyType(_THEN),
    events=MappingProxyType(_EVENTS),
    support="assistenza",
    right_after="Subito dopo la posta riparte da sola.",
)
