import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import javax.mail.Authenticator;
import javax.mail.Message;
import javax.mail.MessagingException;
import javax.mail.PasswordAuthentication;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;

/** Sends one mail with an attachment through JavaMail; what goes wrong is printed as an application would see it. */
public class Send {
    public static void main(String[] arguments) throws Exception {
        String host = arguments[0], port = arguments[1], tls = arguments[2], store = arguments[3];
        String login = arguments[4], password = arguments[5];
        Properties settings = new Properties();
        settings.put("mail.smtp.host", host);
        settings.put("mail.smtp.port", port);
        settings.put("mail.smtp.auth", "true");
        settings.put("mail.smtp.starttls.required", String.valueOf(tls.equals("starttls")));
        settings.put("mail.smtp.starttls.enable", String.valueOf(tls.equals("starttls")));
        settings.put("mail.smtp.ssl.enable", String.valueOf(tls.equals("implicit")));
        settings.put("mail.smtp.ssl.checkserveridentity", "true");
        if (!store.isEmpty()) {
            System.setProperty("javax.net.ssl.trustStore", store);
            System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
        }
        Session session = Session.getInstance(settings, new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(login, password);
            }
        });
        try {
            Transport.send(mail(session, arguments));
        } catch (MessagingException error) {
            for (Exception one = error; one != null; one = next(one)) {
                System.err.println(one.getMessage());
            }
            System.exit(1);
        }
    }

    private static Exception next(Exception error) {
        return error instanceof MessagingException ? ((MessagingException) error).getNextException() : null;
    }

    private static MimeMessage mail(Session session, String[] arguments) throws Exception {
        MimeBodyPart text = new MimeBodyPart(), file = new MimeBodyPart();
        text.setText(Files.readString(Path.of(arguments[9])), "UTF-8");
        file.attachFile(new File(arguments[10]));
        MimeMessage mail = new MimeMessage(session);
        mail.setFrom(new InternetAddress(arguments[6], "Dott.ssa Anna Mühlbauer", "UTF-8"));
        mail.setRecipients(Message.RecipientType.TO, arguments[7]);
        mail.setSubject(arguments[8], "UTF-8");
        mail.setContent(new MimeMultipart(text, file));
        return mail;
    }
}
